import { selectForNode } from "#routing/l4/select.ts";
import type { Choice, EndpointEntry, ServicePortEntry } from "#routing/l4/table.ts";
import type { ProxyNode } from "../../mode.ts";
import { addressBits, addressText, whole } from "../checked.ts";
import { sourcesOf } from "../source-ranges.ts";
import { realKey, serverKey, type Element, type Place } from "./element.ts";
import { schedulerOf, type IpvsSettings } from "./settings.ts";
import type { SetName } from "./sets.ts";

const protocols = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;

/**
 * What one service port is on one node: addresses, virtual servers with their real servers, and entries of ipsets, as
 * upstream pkg/proxy/ipvs makes them. Node ports stand at each of the node's addresses. Pure. Throws when the entry
 * holds no valid address or number.
 */
export function renderEntry(entry: ServicePortEntry, node: ProxyNode, settings: IpvsSettings = {}): Element[] {
  if (!Object.hasOwn(protocols, entry.protocol)) throw new Error(`unknown protocol ${JSON.stringify(entry.protocol)}`);
  const protocol = protocols[entry.protocol];
  const { family = 4 } = node;
  const addressOf = (text: string) => addressText(text, family);
  const port = whole(entry.port, 1, 65_535);
  const affinitySeconds = whole(entry.affinitySeconds, 0, 86_400);
  const scheduler = schedulerOf(settings);
  const selection = selectForNode(entry, node);
  const isLocal = entry.externalTrafficPolicy === "Local";
  const elements: Element[] = [];

  const put = (set: Place, key: string, front?: string, value = "") =>
    elements.push({ set, key, value, ...(front === undefined ? {} : { front }) });

  function serve(address: string, port: number, choice: Choice, front: string): void {
    const server = serverKey(protocol, addressOf(address), port);
    // Clients of one address and port stay together when the hash knows the port as well (upstream for `mh`).
    const hash = scheduler === "mh" ? " -b mh-port" : "";
    const sticky = affinitySeconds === 0 ? "" : ` -p ${affinitySeconds}`;
    put("server", server, front, `-s ${scheduler}${hash}${sticky}`);
    for (const endpoint of endpointsOf(choice, selection.cluster)) {
      put("real", realKey(server, addressOf(endpoint.address), whole(endpoint.port, 1, 65_535)), front, "1");
    }
  }

  function hold(address: string): void {
    put("address", addressOf(address));
    put("KUBE-IPVS-IPS", address);
  }

  const frontOf = (address: string) => `${address}:${port}/${entry.protocol}`;
  const entryOf = (address: string) => `${addressOf(address)},${protocol}:${port}`;

  function atAddress(set: SetName, address: string, choice: Choice): string {
    const front = frontOf(address);
    hold(address);
    put(set, entryOf(address), front);
    serve(address, port, choice, front);
    return front;
  }

  atAddress("KUBE-CLUSTER-IP", entry.clusterIP, selection.internal);
  for (const address of new Set(entry.externalIPs)) {
    atAddress(isLocal ? "KUBE-EXTERNAL-IP-LOCAL" : "KUBE-EXTERNAL-IP", address, selection.external);
  }
  for (const address of new Set(entry.loadBalancerIPs)) {
    if (entry.externalIPs.includes(address)) continue;
    const front = atAddress("KUBE-LOAD-BALANCER", address, selection.external);
    if (isLocal) put("KUBE-LOAD-BALANCER-LOCAL", entryOf(address), front);
    if (entry.loadBalancerSourceRanges.length === 0) continue;
    put("KUBE-LOAD-BALANCER-FW", entryOf(address), front);
    for (const range of sourcesOf(entry.loadBalancerSourceRanges, address, node)) {
      const own = `${address}/${addressBits[family]}`;
      // The node itself comes from the address it sends to.
      if (range === own) put("KUBE-LOAD-BALANCER-SOURCE-IP", `${entryOf(address)},${address}`, front);
      else
        put(
          "KUBE-LOAD-BALANCER-SOURCE-CIDR",
          `${entryOf(address)},${range.replace(`/${addressBits[family]}`, "")}`,
          front,
        );
    }
  }
  if (entry.nodePort !== 0) {
    const nodePort = whole(entry.nodePort, 1, 65_535);
    const front = `node port ${nodePort}/${entry.protocol}`;
    for (const scope of isLocal ? (["", "LOCAL-"] as const) : ([""] as const)) {
      if (protocol !== "sctp") {
        put(`KUBE-NODE-PORT-${scope}${protocol === "tcp" ? "TCP" : "UDP"}`, String(nodePort), front);
        continue;
      }
      for (const address of node.addresses) {
        put(`KUBE-NODE-PORT-${scope}SCTP-HASH`, `${addressOf(address)},sctp:${nodePort}`, front);
      }
    }
    for (const address of node.addresses) serve(address, nodePort, selection.external, front);
  }
  if (entry.healthCheckNodePort !== 0) {
    put("KUBE-HEALTH-CHECK-NODE-PORT", String(whole(entry.healthCheckNodePort, 1, 65_535)));
  }
  const used = [selection.internal, selection.external].flatMap((choice) => endpointsOf(choice, selection.cluster));
  for (const endpoint of new Set(used)) {
    if (endpoint.nodeName !== node.name) continue;
    const address = addressOf(endpoint.address);
    put("KUBE-LOOP-BACK", `${address},${protocol}:${whole(endpoint.port, 1, 65_535)},${address}`);
  }
  return elements;
}

/** With policy Local and nothing on this node upstream's ipvs mode takes the endpoints of all nodes. */
function endpointsOf(choice: Choice, cluster: Choice): readonly EndpointEntry[] {
  const used = choice === "drop" ? cluster : choice;
  return typeof used === "string" ? [] : used.endpoints;
}
