import type { Protocol } from "#api/core/pod/kind.ts";
import { selectForNode } from "#routing/l4/select.ts";
import type { Choice, EndpointEntry, ServicePortEntry } from "#routing/l4/table.ts";
import type { ProxyNode } from "../../mode.ts";
import { addressText, whole } from "../checked.ts";
import { sourcesOf } from "../source-ranges.ts";
import {
  balancerName,
  endpointsName,
  localOffset,
  masqueradeOffset,
  withPrecursors,
  type Balancer,
} from "./balancer.ts";
import type { Element, SetName } from "./element.ts";
import { externalLocalChain, nodeportLocalChain, rejectChain } from "./names.ts";

/** What one service port is on one node: elements, and the chains these lead to. */
export interface Rendering {
  readonly elements: readonly Element[];
  /** By chain name. */
  readonly balancers: ReadonlyMap<string, Balancer>;
}

/** Where a service port is reached: an address with a port, or a node port. */
interface Front {
  readonly by: "address" | "nodeport";
  readonly key: string;
}

/** Pure: the same entry on the same node gives the same elements. Throws when the entry holds no valid address or number. */
export function renderEntry(entry: ServicePortEntry, node: ProxyNode): Rendering {
  if (!Object.hasOwn(protocols, entry.protocol)) throw new Error(`unknown protocol ${JSON.stringify(entry.protocol)}`);
  const { family = 4 } = node;
  const addressOf = (text: string) => addressText(text, family);
  const selection = selectForNode(entry, node);
  const elements: Element[] = [];
  const balancers = new Map<string, Balancer>();
  const protocol = protocols[entry.protocol];
  const affinitySeconds = whole(entry.affinitySeconds, 0, 86_400);
  const add = (set: SetName, key: string, value = "", front?: Front) => {
    elements.push({ set, key, value, ...(front === undefined ? {} : { front: front.key }) });
  };

  function balance(
    front: Front,
    of: "all" | "local",
    endpoints: readonly EndpointEntry[],
    masquerade: boolean,
  ): string {
    const balancer: Balancer = { by: front.by, of, count: endpoints.length, affinitySeconds, masquerade };
    const name = balancerName(balancer);
    for (const needed of withPrecursors(balancer)) balancers.set(balancerName(needed), needed);
    const prefix = front.by === "nodeport" ? "nodeport-" : "";
    const first = of === "local" ? localOffset : 0;
    const numbers = affinitySeconds === 0 ? [] : numbersOf(endpoints);
    for (const [slot, endpoint] of endpoints.entries()) {
      const to = `${addressOf(endpoint.address)} . ${whole(endpoint.port, 1, 65_535)}`;
      if (affinitySeconds === 0) {
        add(endpointsName(balancer), `${front.key} . ${slot}`, to, front);
        continue;
      }
      for (const [offset, bit] of [[0, 0] as const, [masqueradeOffset, 0x4000] as const]) {
        const mark = `0x${((((numbers[slot] ?? 0) << 16) | bit) >>> 0).toString(16).padStart(8, "0")}`;
        add(`${prefix}affinity-slots`, `${front.key} . ${first + offset + slot}`, mark, front);
        add(`${prefix}affinity-endpoints`, `${front.key} . ${mark}`, to, front);
        if (family === 4) add(`${prefix}affinity-valid`, `${front.key} . ${mark}`, "", front);
      }
    }
    return `goto ${name}`;
  }

  function refuse(front: Front, choice: Choice): void {
    if (typeof choice !== "string") return;
    const set = front.by === "nodeport" ? "no-endpoint-nodeports" : "no-endpoint-services";
    add(set, front.key, choice === "drop" ? "drop" : `goto ${rejectChain}`, front);
  }

  function external(front: Front): void {
    const isPort = front.by === "nodeport";
    const lookup = isPort ? "nodeports" : "services";
    refuse(front, selection.external);
    if (entry.externalTrafficPolicy !== "Local") {
      if (typeof selection.external === "string") return;
      add(lookup, front.key, balance(front, "all", selection.external.endpoints, true), front);
      return;
    }
    if (typeof selection.cluster === "string") return;
    add(lookup, front.key, `goto ${isPort ? nodeportLocalChain : externalLocalChain}`, front);
    const shortcut = balance(front, "all", selection.cluster.endpoints, false);
    add(isPort ? "nodeport-shortcuts" : "shortcuts", front.key, shortcut, front);
    if (typeof selection.external === "string") return;
    add(`local-${lookup}`, front.key, balance(front, "local", selection.external.endpoints, false), front);
  }

  const frontOf = (address: string): Front => ({
    by: "address",
    key: `${addressOf(address)} . ${protocol} . ${whole(entry.port, 1, 65_535)}`,
  });

  const cluster = frontOf(entry.clusterIP);
  add("cluster-ips", addressOf(entry.clusterIP));
  refuse(cluster, selection.internal);
  if (typeof selection.internal !== "string") {
    add("services", cluster.key, balance(cluster, "all", selection.internal.endpoints, false), cluster);
  }
  const outside = new Map(
    [...entry.externalIPs, ...entry.loadBalancerIPs].map((address) => [addressOf(address), frontOf(address)]),
  );
  outside.delete(addressOf(entry.clusterIP));
  for (const front of outside.values()) external(front);
  if (entry.nodePort !== 0) external({ by: "nodeport", key: `${protocol} . ${whole(entry.nodePort, 1, 65_535)}` });
  if (entry.loadBalancerSourceRanges.length > 0) {
    for (const address of new Set(entry.loadBalancerIPs)) {
      const front = frontOf(address);
      add("firewalled", front.key, "", front);
      for (const range of sourcesOf(entry.loadBalancerSourceRanges, address, node)) {
        add("firewall-sources", `${front.key} . ${range}`, "", front);
      }
    }
  }
  for (const address of reachable([selection.internal, selection.external, selection.cluster], node)) {
    const own = addressOf(address);
    add("hairpin", `${own} . ${own}`);
  }
  return { elements, balancers };
}

/** The addresses of endpoints that may be on this node. */
function reachable(choices: readonly Choice[], node: ProxyNode): ReadonlySet<string> {
  const addresses = new Set<string>();
  for (const choice of new Set(choices)) {
    if (typeof choice === "string") continue;
    for (const { address, nodeName } of choice.endpoints) {
      if (nodeName === undefined || nodeName === node.name) addresses.add(address);
    }
  }
  return addresses;
}

const protocols: Readonly<Record<Protocol, string>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };

/**
 * A number for each endpoint that stays the same while others come and go, and over restarts: clients are remembered by
 * it. From 1 to 65535.
 */
function numbersOf(endpoints: readonly EndpointEntry[]): number[] {
  const taken = new Set<number>();
  return endpoints.map(({ address, port }) => {
    let hash = 0x811c9dc5;
    for (const char of `${address}:${port}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
    let number = (hash ^ (hash >>> 16)) & 0xffff || 1;
    while (taken.has(number)) number = (number % 0xffff) + 1;
    taken.add(number);
    return number;
  });
}
