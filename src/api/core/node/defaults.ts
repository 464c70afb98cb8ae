import type { Node } from "./kind.ts";

/** `podCIDR` is the first of `podCIDRs`; what a node can give its pods is all it has, unless it says otherwise. */
export function defaultNode(node: Node): void {
  node.spec ??= {};
  node.status ??= {};
  if (node.spec.podCIDR && !node.spec.podCIDRs?.length) node.spec.podCIDRs = [node.spec.podCIDR];
  if (!node.spec.podCIDR && node.spec.podCIDRs?.[0] !== undefined) node.spec.podCIDR = node.spec.podCIDRs[0];
  if (node.status.capacity !== undefined) node.status.allocatable ??= { ...node.status.capacity };
}
