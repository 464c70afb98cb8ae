import {
  cidrSize,
  formatAddress,
  formatCidr,
  parseAddress,
  parseCidr,
  type Address,
  type Cidr,
  type Family,
} from "#base/cidr.ts";
import type { Service } from "#api/core/service/kind.ts";
import { matchesSelector, type LabelSelector, type Labels } from "#api/meta/selector.ts";

/** Addresses of one family that follow each other, the first and the last included. */
export interface AddressRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
  /** As it was written. */
  readonly text: string;
}

/** Outside addresses under one name, with MetalLB's words for whom they are (`IPAddressPool`). */
export interface AddressPool {
  readonly name: string;
  readonly ranges: readonly AddressRange[];
  /** False: only for Services that ask for the pool or for one of its addresses. */
  readonly autoAssign: boolean;
  /** Addresses of IPv4 that end in .0 and .255 are left out, which old devices take for a network or for everybody. */
  readonly avoidBuggyIPs: boolean;
  readonly allocation?: PoolAllocation;
}

/** Whose a pool is: Services that match a namespace, by name or label, and one of the service selectors. */
export interface PoolAllocation {
  /** Pools with a lower number are tried first; 0 comes last. */
  readonly priority?: number;
  readonly namespaces?: readonly string[];
  readonly namespaceSelectors?: readonly LabelSelector[];
  readonly serviceSelectors?: readonly LabelSelector[];
}

/** The name of the pool that `--load-balancer-cidr` makes. */
export const flagPoolName = "default";

/** `10.0.0.0/24`, `10.0.0.10-10.0.0.20` or one address. Of a range by prefix the first and last address are left out. */
export function parseRange(text: string): AddressRange | undefined {
  const cidr = parseCidr(text);
  if (cidr !== undefined) return rangeOf(cidr);
  const [from = "", to = from, ...rest] = text.split("-").map((part) => part.trim());
  const [first, last] = [parseAddress(from), parseAddress(to)];
  if (rest.length > 0 || first === undefined || last === undefined) return undefined;
  if (first.family !== last.family || first.value > last.value) return undefined;
  return { family: first.family, first: first.value, last: last.value, text };
}

/** The addresses of a range by prefix, without those that name the range itself and everybody in it. */
export function rangeOf(cidr: Cidr): AddressRange {
  const size = cidrSize(cidr);
  const edge = size > 2n ? 1n : 0n;
  return { family: cidr.family, first: cidr.base + edge, last: cidr.base + size - 1n - edge, text: formatCidr(cidr) };
}

/** The pool of the flags; none without any. */
export function poolsOfFlags(cidrs: readonly Cidr[]): AddressPool[] {
  if (cidrs.length === 0) return [];
  return [{ name: flagPoolName, ranges: cidrs.map(rangeOf), autoAssign: true, avoidBuggyIPs: false }];
}

export function rangesOverlap(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** The prefixes that hold the addresses of a range: as it was written, or the fewest that hold nothing else. */
export function cidrsOf({ family, first, last, text }: AddressRange): Cidr[] {
  const written = parseCidr(text);
  if (written !== undefined) return [written];
  const bits = family === 4 ? 32 : 128;
  const cidrs: Cidr[] = [];
  for (let base = first; base <= last;) {
    let prefix = bits;
    while (prefix > 0) {
      const size = cidrSize({ family, base, prefix: prefix - 1 });
      if (base % size !== 0n || base + size - 1n > last) break;
      prefix -= 1;
    }
    cidrs.push({ family, base, prefix });
    base += cidrSize({ family, base, prefix });
  }
  return cidrs;
}

export function poolHolds({ ranges, avoidBuggyIPs }: AddressPool, address: Address): boolean {
  if (avoidBuggyIPs && isBuggy(address)) return false;
  return ranges.some(
    ({ family, first, last }) => family === address.family && first <= address.value && address.value <= last,
  );
}

/** The addresses of one family, in order, as texts. */
export function* addressesOf({ ranges, avoidBuggyIPs }: AddressPool, family: Family): Generator<string> {
  for (const { family: own, first, last } of ranges) {
    if (own !== family) continue;
    for (let value = first; value <= last; value += 1n) {
      if (!avoidBuggyIPs || !isBuggy({ family, value })) yield formatAddress({ family, value });
    }
  }
}

/** Whether a Service of a namespace with these labels may have addresses of the pool (MetalLB `isPoolCompatibleWithService`). */
export function mayUse({ allocation }: AddressPool, { metadata }: Service, namespaceLabels: Labels): boolean {
  if (allocation === undefined) return true;
  const { namespaces = [], namespaceSelectors = [], serviceSelectors = [] } = allocation;
  const inNamespace =
    (namespaces.length === 0 && namespaceSelectors.length === 0) ||
    namespaces.includes(metadata.namespace ?? "") ||
    namespaceSelectors.some((selector) => matchesSelector(selector, namespaceLabels));
  const isSelected =
    serviceSelectors.length === 0 || serviceSelectors.some((selector) => matchesSelector(selector, metadata.labels));
  return inNamespace && isSelected;
}

/** Pools that are given to some come before those for all; of those, the lower priority number first and 0 last. */
export function byPriority(a: AddressPool, b: AddressPool): number {
  const rank = ({ allocation }: AddressPool) =>
    allocation === undefined ? Number.MAX_SAFE_INTEGER : allocation.priority || Number.MAX_SAFE_INTEGER - 1;
  return rank(a) - rank(b);
}

function isBuggy({ family, value }: Address): boolean {
  const last = value & 255n;
  return family === 4 && (last === 0n || last === 255n);
}
