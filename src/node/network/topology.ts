import { applyTopology, namespacesWith } from "./apply.ts";
import { compileTopology, netnsPrefix, type TopologyNode, type TopologyOptions } from "./plan.ts";
import { findConflicts } from "./conflict.ts";

export { allAddresses } from "./ipv6.ts";
export type { TopologyNode, TopologyOptions } from "./plan.ts";
export { inspectLeftovers, removeTopology } from "./remove.ts";
export { watchTopology } from "./watch.ts";

/** The network that the nodes of one cluster live in, as it stands in the kernel. */
export interface Topology {
  readonly clusterId: string;
  readonly nodes: readonly TopologyNode[];
  /** Names of the nodes whose namespaces were made just now: nothing of an earlier run is in them. */
  readonly newNodes: ReadonlySet<string>;
  /** The machine's own end: `address` is reachable from every pod and node. */
  readonly uplink: { readonly address: string; readonly device: string };
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly nodeSubnet: string;
}

/** Why the network was not made, one sentence for each thing of somebody else that stands in the way. */
export class TopologyConflict extends Error {
  override readonly name = "TopologyConflict";
  readonly conflicts: readonly string[];

  constructor(conflicts: readonly string[]) {
    super(conflicts.join("; "));
    this.conflicts = conflicts;
  }
}

/**
 * Makes the network: a switch namespace, one namespace a node, and an uplink to the machine's own namespace. What is
 * already there is adopted and repaired, nodes that are no longer asked for are removed. Rejects with
 * `TopologyConflict`, before anything is changed, when routes or links of somebody else are in the way.
 */
export async function createTopology(options: TopologyOptions): Promise<Topology> {
  const plan = compileTopology(options);
  const conflicts = await findConflicts(plan);
  if (conflicts.length > 0) throw new TopologyConflict(conflicts);
  const prefix = netnsPrefix(options.clusterId);
  const before = new Set(namespacesWith(prefix).real);
  await applyTopology(plan);
  return {
    clusterId: options.clusterId,
    nodes: plan.nodes,
    newNodes: new Set(plan.nodes.map(({ name }) => name).filter((name) => !before.has(prefix + name))),
    uplink: plan.uplink,
    podCidr: plan.podCidr,
    serviceCidr: plan.serviceCidr,
    nodeSubnet: plan.nodeSubnet,
  };
}
