import { cidrContains, formatCidr, parseAddress, parseCidr } from "#base/cidr.ts";
import type { ProxyNode } from "../mode.ts";
import { addressBits } from "./checked.ts";

/**
 * The ranges a load-balancer address is open to, without those inside another, which the kernel refuses. When the node
 * itself is among them, so is the address: a packet to it from this node may carry it as its source.
 */
export function sourcesOf(ranges: readonly string[], address: string, node: ProxyNode): string[] {
  const { family = 4 } = node;
  const parsed = ranges.flatMap((text) => parseCidr(text) ?? []).filter((range) => range.family === family);
  const own = node.addresses.flatMap((text) => parseAddress(text) ?? []);
  const self = parseCidr(`${address}/${addressBits[family]}`);
  if (self !== undefined && own.some((node) => parsed.some((range) => cidrContains(range, node)))) parsed.push(self);
  const kept = parsed.filter((range, index) => {
    return !parsed.some((other, place) => {
      const holds = cidrContains(other, { family: range.family, value: range.base });
      return (
        other !== range && holds && (other.prefix < range.prefix || (other.prefix === range.prefix && place < index))
      );
    });
  });
  return kept.map((range) => formatCidr(range));
}
