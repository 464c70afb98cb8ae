import type { Choice, EndpointEntry, NodeSelection, ServicePortEntry } from "./table.ts";

export interface SelectingNode {
  readonly name: string;
  readonly zone?: string;
}

/**
 * What one node does with a service port (upstream pkg/proxy `topology.go`, KEP-1669, KEP-2433): ready endpoints, or,
 * when there are none, those that still serve while they terminate. Topology hints narrow the cluster-wide set only.
 */
export function selectForNode(entry: ServicePortEntry, node: SelectingNode): NodeSelection {
  const ready = entry.endpoints.filter((endpoint) => endpoint.ready);
  const cluster = usable(narrowByHints(ready, node), entry.endpoints);
  const isLocal = (endpoint: EndpointEntry) => endpoint.nodeName === node.name;
  const local = usable(ready.filter(isLocal), entry.endpoints.filter(isLocal));
  const anywhere: Choice = cluster.length > 0 ? { endpoints: cluster } : "refuse";
  const here: Choice = local.length > 0 ? { endpoints: local } : cluster.length > 0 ? "drop" : "refuse";
  return {
    internal: entry.internalTrafficPolicy === "Local" ? here : anywhere,
    external: entry.externalTrafficPolicy === "Local" ? here : anywhere,
    cluster: anywhere,
  };
}

function usable(ready: readonly EndpointEntry[], all: readonly EndpointEntry[]): readonly EndpointEntry[] {
  if (ready.length > 0) return ready;
  return all.filter((endpoint) => endpoint.serving && endpoint.terminating);
}

/** A kind of hint counts only when every ready endpoint carries it and one of them names this node or its zone. */
function narrowByHints(ready: readonly EndpointEntry[], { name, zone }: SelectingNode): readonly EndpointEntry[] {
  if (ready.every((endpoint) => endpoint.forNodes?.length)) {
    const here = ready.filter((endpoint) => endpoint.forNodes?.includes(name));
    if (here.length > 0) return here;
  }
  if (zone !== undefined && ready.every((endpoint) => endpoint.forZones?.length)) {
    const near = ready.filter((endpoint) => endpoint.forZones?.includes(zone));
    if (near.length > 0) return near;
  }
  return ready;
}
