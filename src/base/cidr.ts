/** IPv4 and IPv6 addresses and ranges as numbers; text forms as RFC 5952 has them. Pure, no lookup of any kind. */
export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export interface Cidr {
  readonly family: Family;
  /** The first address of the range. */
  readonly base: bigint;
  readonly prefix: number;
}

const bits = (family: Family) => (family === 4 ? 32 : 128);

/** The address a text names, or `undefined`. Leading zeros in IPv4 octets are refused, as upstream does. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(":") ? parseAddress6(text) : parseAddress4(text);
}

function parseAddress4(text: string): Address | undefined {
  let value = 0;
  let dots = 0;
  /** Below 0 before its first digit. */
  let octet = -1;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (digit === -2) {
      if (octet < 0) return undefined;
      dots += 1;
      value = value * 256 + octet;
      octet = -1;
    } else {
      if (digit < 0 || digit > 9 || octet === 0) return undefined;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return undefined;
    }
  }
  return dots === 3 && octet >= 0 ? { family: 4, value: BigInt(value * 256 + octet) } : undefined;
}

function parseAddress6(text: string): Address | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => groups6(half));
  const [head, tail] = groups;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined ? head.length !== 8 : head.length + tail.length > 7) return undefined;
  const middle = new Array<bigint>(8 - head.length - (tail?.length ?? 0)).fill(0n);
  let value = 0n;
  for (const group of [...head, ...middle, ...(tail ?? [])]) value = value * 65536n + group;
  return { family: 6, value };
}

function groups6(half: string): bigint[] | undefined {
  if (half === "") return [];
  const out: bigint[] = [];
  const parts = half.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      const embedded = index === parts.length - 1 ? parseAddress(part) : undefined;
      if (embedded?.family !== 4) return undefined;
      out.push(embedded.value >> 16n, embedded.value & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return out;
}

export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const zeros = [...groups.join(":").matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)];
  const longest = zeros.reduce<RegExpExecArray | undefined>(
    (best, run) => (best === undefined || run[0].length > best[0].length ? run : best),
    undefined,
  );
  if (longest === undefined) return groups.join(":");
  const text = groups.join(":");
  const before = text.slice(0, longest.index).replace(/:$/, "");
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}

/** The one form that all texts of the same IPv6 address have; any other text as it is. */
export function canonicalAddress(text: string): string {
  const parsed = text.includes(":") ? parseAddress(text) : undefined;
  return parsed === undefined ? text : formatAddress(parsed);
}

/** `10.0.0.1:80`, and `[fd00::1]:80`, where brackets keep the colons of the address apart. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The range a text names, or `undefined`; host bits that are set are cleared. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === undefined || slash === -1 || !/^\d{1,3}$/.test(text.slice(slash + 1))) return undefined;
  const prefix = Number(text.slice(slash + 1));
  if (prefix > bits(address.family)) return undefined;
  return { family: address.family, base: maskedBase(address, prefix), prefix };
}

function maskedBase({ family, value }: Address, prefix: number): bigint {
  const hostBits = BigInt(bits(family) - prefix);
  return (value >> hostBits) << hostBits;
}

export function formatCidr({ family, base, prefix }: Cidr): string {
  return `${formatAddress({ family, value: base })}/${prefix}`;
}

/** How many addresses the range holds. */
export function cidrSize({ family, prefix }: Cidr): bigint {
  return 1n << BigInt(bits(family) - prefix);
}

/** The address at `offset` from the start of the range. */
export function addressAt(cidr: Cidr, offset: number | bigint): Address {
  return { family: cidr.family, value: cidr.base + BigInt(offset) };
}

export function cidrContains(cidr: Cidr, address: Address): boolean {
  return cidr.family === address.family && maskedBase(address, cidr.prefix) === cidr.base;
}

export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  if (a.family !== b.family) return false;
  const [wide, narrow] = a.prefix <= b.prefix ? [a, b] : [b, a];
  return cidrContains(wide, { family: narrow.family, value: narrow.base });
}
