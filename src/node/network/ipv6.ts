import { addressAt, cidrSize, formatAddress, formatCidr, parseAddress, parseCidr, type Cidr } from "#base/cidr.ts";

/** What a node of a cluster of both families has beside its addresses of IPv4. */
export interface NodeIPv6 {
  /** The node's address in the node subnet. */
  readonly address: string;
  readonly podCidr: string;
  /** The pods' default gateway. */
  readonly gateway: string;
}

/** The ranges of IPv6 of a cluster of both families. */
export interface RangesIPv6 {
  readonly pod: Cidr;
  readonly service: Cidr;
  readonly node: Cidr;
}

/** Where nodes are when no range of IPv6 is given for them: unique local addresses (RFC 4193). */
export const defaultNodeSubnet6 = "fd00:172:30::/64";
/** A node's pods: as upstream's `--node-cidr-mask-size-ipv6`, or as many as with IPv4 where the range has less room. */
const nodePrefixes = [64, 120] as const;

/** The range of each family out of a text as `10.96.0.0/16,fd00:10:96::/108`, which is one range or one of each. */
export function splitRanges(text: string): { readonly ipv4: string; readonly ipv6?: string } {
  const parts = text.split(",").map((part) => part.trim());
  const ipv6 = parts.find((part) => part.includes(":"));
  const ipv4 = parts.filter((part) => part !== ipv6).join(",");
  return ipv6 === undefined ? { ipv4 } : { ipv4, ipv6 };
}

/** The prefix that the ranges of single nodes have; `undefined` when the range of all pods is too small for so many. */
export function nodePodPrefix(pods: Cidr, nodeCount: number): number | undefined {
  return nodePrefixes.find((prefix) => prefix - pods.prefix >= Math.ceil(Math.log2(nodeCount + 1)));
}

/** What the node of this number, from 1 on, has. Throws `RangeError` when there is no room for it. */
export function compileNodeIPv6({ pod, node }: RangesIPv6, number: number, nodeCount: number): NodeIPv6 {
  const prefix = nodePodPrefix(pod, nodeCount);
  if (prefix === undefined) throw new RangeError(`pod CIDR ${formatCidr(pod)}: too small for ${nodeCount} nodes`);
  const own: Cidr = { family: 6, base: pod.base + (BigInt(number) << BigInt(128 - prefix)), prefix };
  return {
    address: formatAddress(addressAt(node, 10 + number)),
    podCidr: formatCidr(own),
    gateway: formatAddress(addressAt(own, 1)),
  };
}

/** The machine's own end on the node subnet: the last address but one, at most the 255th. */
export function uplinkAddress6({ node }: RangesIPv6): string {
  const size = cidrSize(node);
  return formatAddress(addressAt(node, (size < 256n ? size : 256n) - 2n));
}

/**
 * All addresses of who has this one of IPv4 on the node, that one first: a pod's address of IPv6 has the same place in
 * the node's range, and needs no bookkeeping of its own.
 */
export function allAddresses(
  node: { readonly address: string; readonly podCidr: string; readonly ipv6?: NodeIPv6 },
  address: string,
): readonly string[] {
  const { ipv6 } = node;
  if (ipv6 === undefined) return [address];
  if (address === node.address) return [address, ipv6.address];
  const [value, range, own] = [parseAddress(address), parseCidr(node.podCidr), parseCidr(ipv6.podCidr)];
  if (value === undefined || range === undefined || own === undefined) return [address];
  return [address, formatAddress(addressAt(own, value.value - range.base))];
}
