import type { Protocol } from "#api/core/pod/kind.ts";
import type { TrafficPolicy } from "#api/core/service/kind.ts";
import type { Because, Problem } from "../because.ts";

/**
 * The layer-4 table of one address family: every service port with its addresses and its endpoints, the same for all
 * nodes. `select.ts` narrows an entry to what one node uses. Immutable; two tables share the entries that did not change,
 * so `diffServices` can compare by identity first. Addresses of IPv6 are in the form of RFC 5952.
 */
export interface ServiceTable {
  readonly family: 4 | 6;
  /** By `ServicePortEntry.id`. */
  readonly ports: ReadonlyMap<string, ServicePortEntry>;
  readonly problems: readonly Problem[];
  /** The revision of the API this table is complete to. */
  readonly revision: string;
}

export interface ServicePortEntry {
  /** `namespace/name:portname/protocol`, the portname empty when unnamed. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly portName: string;
  /** When the Service was made, RFC 3339: of two that want one address the older has it. */
  readonly created?: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly clusterIP: string;
  /** 0 when there is none. */
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  /** Addresses of `status.loadBalancer` with `ipMode: VIP`. */
  readonly loadBalancerIPs: readonly string[];
  readonly loadBalancerSourceRanges: readonly string[];
  readonly internalTrafficPolicy: TrafficPolicy;
  readonly externalTrafficPolicy: TrafficPolicy;
  /** 0 when `externalTrafficPolicy: Local` does not ask for one. */
  readonly healthCheckNodePort: number;
  /** Seconds a client stays with its endpoint; 0 for no affinity. */
  readonly affinitySeconds: number;
  /** Sorted by address, then port; each (address, port) once. */
  readonly endpoints: readonly EndpointEntry[];
  readonly because: Because;
}

export interface EndpointEntry {
  readonly address: string;
  readonly port: number;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly forZones?: readonly string[];
  readonly forNodes?: readonly string[];
  /** The pod behind it, when there is one. */
  readonly pod?: string;
}

/** What has to change to make one table true where another was. */
export interface ServiceDiff {
  readonly added: readonly ServicePortEntry[];
  readonly changed: readonly { readonly before: ServicePortEntry; readonly after: ServicePortEntry }[];
  readonly removed: readonly ServicePortEntry[];
  readonly revision: string;
}

/** What one node does with a service port: the endpoints each kind of traffic may reach. */
export interface NodeSelection {
  /** For traffic to the cluster IP. */
  readonly internal: Choice;
  /** For traffic to node ports, external addresses and load-balancer addresses. */
  readonly external: Choice;
  /**
   * The endpoints of the whole cluster, whatever the policies. With `externalTrafficPolicy: Local` this is what pods and
   * processes of the node itself get where outsiders get `external`.
   */
  readonly cluster: Choice;
}

/** `refuse`: there is no endpoint anywhere. `drop`: there are some, but policy Local leaves none on this node. */
export type Choice = { readonly endpoints: readonly EndpointEntry[] } | "refuse" | "drop";
