/**
 * Which Services have which address, by its reverse name. A large cluster has a hundred thousand addresses, nearly all
 * of one Service each: those of IPv4 are kept as numbers in one table.
 */
export interface AddressOwners {
  add(at: string, key: string): void;
  remove(at: string, key: string): void;
  /** Keys of Services in the order they came; none when nobody has the address. */
  of(at: string): readonly string[];
}

const none: readonly string[] = [];
const smallest = 64;
/** Of the table's places, at most so many are taken. */
const fullest = 0.8;
/** Instead of the number of an owner: there are several. */
const several = 0xffffffff;

export function createAddressOwners(): AddressOwners {
  /** Addresses with several owners, and those of IPv6. */
  const lists = new Map<string, readonly string[]>();
  const keys = createNumbers();
  // Open addressing: an address stands at the first free place from its own on. Owner 0 is a free place.
  let addresses = new Uint32Array(smallest);
  let owners = new Uint32Array(smallest);
  let count = 0;

  function placeOf(address: number): number {
    const mask = addresses.length - 1;
    let place = homeOf(address, mask);
    while (owners[place] !== 0 && addresses[place] !== address) place = (place + 1) & mask;
    return place;
  }

  function put(address: number, owner: number): void {
    if (count + 1 > addresses.length * fullest) resize(addresses.length * 2);
    const place = placeOf(address);
    if (owners[place] === 0) count += 1;
    addresses[place] = address;
    owners[place] = owner;
  }

  /** Those behind move up, so that no search ends too early. */
  function free(address: number): void {
    const mask = addresses.length - 1;
    let hole = placeOf(address);
    if (owners[hole] === 0) return;
    count -= 1;
    for (let next = (hole + 1) & mask; owners[next] !== 0; next = (next + 1) & mask) {
      const home = homeOf(addresses[next] as number, mask);
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      addresses[hole] = addresses[next] as number;
      owners[hole] = owners[next] as number;
      hole = next;
    }
    owners[hole] = 0;
    if (addresses.length > smallest && count < addresses.length * fullest * 0.25) resize(addresses.length / 2);
  }

  function resize(size: number): void {
    const [oldAddresses, oldOwners] = [addresses, owners];
    addresses = new Uint32Array(size);
    owners = new Uint32Array(size);
    count = 0;
    for (const [place, owner] of oldOwners.entries()) if (owner !== 0) put(oldAddresses[place] as number, owner);
  }

  function of(at: string): readonly string[] {
    const address = addressOf(at);
    const owner = address === undefined ? several : (owners[placeOf(address)] as number);
    if (owner === 0) return none;
    return owner === several ? (lists.get(at) ?? none) : [keys.textOf(owner)];
  }

  /** What was kept of the address before is gone already. */
  function keep(at: string, now: readonly string[]): void {
    const address = addressOf(at);
    const [only] = now;
    if (only === undefined) return;
    if (address !== undefined) put(address, now.length === 1 ? keys.take(only) : several);
    if (address === undefined || now.length > 1) lists.set(at, now);
  }

  function replace(at: string, before: readonly string[], now: readonly string[]): void {
    lists.delete(at);
    const address = addressOf(at);
    if (address !== undefined && before.length > 0) {
      if (before.length === 1) keys.release(before[0] as string);
      if (now.length === 0) free(address);
    }
    keep(at, now);
  }

  return {
    of,
    add(at, key) {
      const before = of(at);
      if (!before.includes(key)) replace(at, before, [...before, key]);
    },
    remove(at, key) {
      const before = of(at);
      if (before.includes(key))
        replace(
          at,
          before,
          before.filter((other) => other !== key),
        );
    },
  };
}

/** Neighbours spread over the table: runs of taken places make searches long. */
function homeOf(address: number, mask: number): number {
  return (Math.imul(address, 0x9e3779b1) >>> 8) & mask;
}

/** Numbers from 1 for texts, as long as somebody uses them. */
function createNumbers() {
  const numbers = new Map<string, number>();
  const texts: string[] = [""];
  const uses: number[] = [0];
  const unused: number[] = [];
  return {
    take(text: string): number {
      const number = numbers.get(text) ?? unused.pop() ?? texts.length;
      numbers.set(text, number);
      texts[number] = text;
      uses[number] = (uses[number] ?? 0) + 1;
      return number;
    },
    release(text: string): void {
      const number = numbers.get(text);
      if (number === undefined) return;
      uses[number] = (uses[number] ?? 1) - 1;
      if (uses[number] > 0) return;
      numbers.delete(text);
      texts[number] = "";
      unused.push(number);
    },
    textOf: (number: number): string => texts[number] ?? "",
  };
}

/** The address of `4.3.2.1.in-addr.arpa`, as `reverseName` writes it, as a number; `undefined` for every other name. */
function addressOf(at: string): number | undefined {
  if (!at.endsWith(".in-addr.arpa")) return undefined;
  let address = 0;
  let octet = 0;
  let place = 1;
  for (let index = 0; place <= 0x1000000 && index < at.length; index++) {
    const code = at.charCodeAt(index);
    if (code === 46) {
      address += octet * place;
      place *= 256;
      octet = 0;
    } else octet = octet * 10 + code - 48;
  }
  return address;
}
