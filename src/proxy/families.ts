import { parseAddress, parseCidr, type Family } from "#base/cidr.ts";
import type { ProxyNode } from "./mode.ts";

/** As upstream's labels and fields name them. */
export const familyNames = { 4: "IPv4", 6: "IPv6" } as const satisfies Record<Family, string>;

/**
 * The families that a node is served in, its first one first: those of its addresses and ranges. A node of which
 * nothing is known has IPv4.
 */
export function familiesOf({ addresses, podCidrs, serviceCidrs }: ProxyNode): readonly Family[] {
  const known = [...addresses.map(familyOfAddress), ...[...podCidrs, ...serviceCidrs].map(familyOfRange)];
  const families = new Set(known.filter((family) => family !== undefined));
  return families.size === 0 ? [4] : [...families];
}

/** What the proxy of one family needs to know of the node. */
export function nodeOfFamily(node: ProxyNode, family: Family): ProxyNode {
  const own = (ranges: readonly string[]) => ranges.filter((range) => familyOfRange(range) === family);
  return {
    ...node,
    family,
    addresses: node.addresses.filter((address) => familyOfAddress(address) === family),
    podCidrs: own(node.podCidrs),
    serviceCidrs: own(node.serviceCidrs),
    ...(node.nodePortRanges && { nodePortRanges: own(node.nodePortRanges) }),
  };
}

function familyOfAddress(text: string): Family | undefined {
  return parseAddress(text)?.family;
}

function familyOfRange(text: string): Family | undefined {
  return parseCidr(text)?.family;
}
