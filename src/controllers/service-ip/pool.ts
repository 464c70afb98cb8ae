import {
  addressAt,
  cidrContains,
  cidrSize,
  formatAddress,
  formatCidr,
  parseAddress,
  type Address,
  type Cidr,
  type Family,
} from "#base/cidr.ts";
import { createNumberRange, type NumberRange } from "../allocation/range.ts";

/**
 * Which addresses of the service ranges are free, for any number of ranges of either family. An address is used while an
 * IPAddress holds it or a request has reserved it; both may be, and it is free again when neither is.
 */
export interface AddressPool {
  /** The ranges to give out from, in the order in which automatic picks try them. */
  setRanges(cidrs: readonly Cidr[]): void;
  /** What an IPAddress holds, by its canonical text. */
  setHeld(text: string, held: boolean): void;
  /**
   * Whether the address can be had; from then on it is reserved. Those of a range that no Service can have are its own
   * address and, for IPv4, the broadcast address.
   */
  reserve(address: Address): "reserved" | "used" | "outside" | { readonly unusableOf: string };
  /** A free address of the family, reserved; `undefined` when every range of the family is full. */
  pick(family: Family): Address | undefined;
  /** Whether a range that is given out from holds the address. */
  isOpen(text: string): boolean;
  /** Ends a reservation. */
  unreserve(text: string): void;
  /** How many addresses are used. */
  readonly taken: number;
}

interface Range {
  readonly cidr: Cidr;
  /** Number n is the address n + 1 of the range. */
  readonly numbers: NumberRange;
  readonly size: number;
}

/** How many of a range's first addresses automatic picks avoid (KEP-3070): `min(max(16, size/16), 256)`, none up to 16. */
export function reservedAddresses(cidr: Cidr): number {
  const size = Number(cidrSize(cidr));
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 16)), 256);
}

/** `random`: 0 to 1, exclusive. */
export function createAddressPool(random: () => number): AddressPool {
  const held = new Set<string>();
  const reserved = new Map<string, Address>();
  let ranges: readonly Range[] = [];

  const isUsed = (text: string) => held.has(text) || reserved.has(text);

  /** Brings the ranges in step with the two sets. */
  function mark(text: string, address = parseAddress(text)): void {
    if (address === undefined) return;
    for (const { cidr, numbers, size } of ranges) {
      const number = numberIn(cidr, address, size);
      if (number === undefined) continue;
      if (isUsed(text)) numbers.take(number, owner);
      else numbers.release(number, owner);
    }
  }

  function isOpen(address: Address): boolean {
    return ranges.some(({ cidr }) => isUsable(cidr, address));
  }

  function openRange(cidr: Cidr): Range {
    const size = usableAddresses(cidr);
    return {
      cidr,
      size,
      numbers: createNumberRange({ size, reserved: Math.min(reservedAddresses(cidr), size), random }),
    };
  }

  return {
    setRanges(cidrs) {
      const known = new Map(ranges.map((range) => [formatCidr(range.cidr), range]));
      const next = new Map(cidrs.map((cidr) => [formatCidr(cidr), cidr]));
      ranges = [...next].map(([text, cidr]) => known.get(text) ?? openRange(cidr));
      if (ranges.some(({ cidr }) => !known.has(formatCidr(cidr))))
        for (const text of [...held, ...reserved.keys()]) mark(text);
    },
    setHeld(text, isHeld) {
      if (isHeld) held.add(text);
      else held.delete(text);
      mark(text);
    },
    reserve(address) {
      const text = formatAddress(address);
      if (!isOpen(address)) {
        const range = ranges.find(({ cidr }) => cidrContains(cidr, address));
        return range === undefined ? "outside" : { unusableOf: formatCidr(range.cidr) };
      }
      if (isUsed(text)) return "used";
      reserved.set(text, address);
      mark(text, address);
      return "reserved";
    },
    pick(family) {
      for (const { cidr, numbers } of ranges) {
        if (cidr.family !== family) continue;
        const number = numbers.pick(owner);
        if (number === undefined) continue;
        const address = addressAt(cidr, number + 1);
        const text = formatAddress(address);
        reserved.set(text, address);
        // The address may stand in another range as well.
        mark(text, address);
        return address;
      }
      return undefined;
    },
    isOpen(text) {
      const address = parseAddress(text);
      return address !== undefined && isOpen(address);
    },
    unreserve(text) {
      const address = reserved.get(text);
      reserved.delete(text);
      mark(text, address);
    },
    get taken() {
      return held.union(reserved).size;
    },
  };
}

/** Who has an address is written in its IPAddress; here it is only taken. */
const owner = "";

/** How much of a wide IPv6 range is picked from; any address of it may be asked for. */
const widest = 2n ** 48n;

/** Without the network's own address and, for IPv4, the broadcast address. */
function usableAddresses(cidr: Cidr): number {
  const size = cidrSize(cidr) - (cidr.family === 4 ? 2n : 1n);
  return size < 1n ? 0 : Number(size < widest ? size : widest);
}

function isUsable(cidr: Cidr, address: Address): boolean {
  if (!cidrContains(cidr, address) || address.value === cidr.base) return false;
  return cidr.family === 6 || address.value !== cidr.base + cidrSize(cidr) - 1n;
}

function numberIn(cidr: Cidr, address: Address, size: number): number | undefined {
  if (!isUsable(cidr, address)) return undefined;
  const number = Number(address.value - cidr.base) - 1;
  return number < size ? number : undefined;
}
