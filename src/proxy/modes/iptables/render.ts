import { formatEndpoint, type Family } from "#base/cidr.ts";
import type { Protocol } from "#api/core/pod/kind.ts";
import { selectForNode } from "#routing/l4/select.ts";
import type { Choice, EndpointEntry, ServicePortEntry } from "#routing/l4/table.ts";
import type { ProxyNode } from "../../mode.ts";
import { addressBits, addressText, whole } from "../checked.ts";
import { sourcesOf } from "../source-ranges.ts";
import {
  endpointChain,
  externalServicesChain,
  markChain,
  markOutsideChain,
  nodePortsChain,
  proxyFirewallChain,
  serviceChain,
  servicesChain,
} from "./names.ts";
import { comment, podMatch, probability, toPort, type Element, type Place } from "./rule.ts";

const unreachable = { 4: "icmp-port-unreachable", 6: "icmp6-port-unreachable" } as const satisfies Record<
  Family,
  string
>;
const protocols: Readonly<Record<Protocol, string>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };

/**
 * What one service port is on one node: chains of its own and rules in shared chains, as upstream pkg/proxy/iptables
 * writes them. Chains come after those they lead to. Pure. Throws when the entry holds no valid address or number.
 */
export function renderEntry(entry: ServicePortEntry, node: ProxyNode): Element[] {
  if (!Object.hasOwn(protocols, entry.protocol)) throw new Error(`unknown protocol ${JSON.stringify(entry.protocol)}`);
  const protocol = protocols[entry.protocol];
  const { family = 4 } = node;
  /** The range that holds only this address. */
  const only = (address: string) => `${addressText(address, family)}/${addressBits[family]}`;
  const label = `${entry.namespace}/${entry.name}${entry.portName === "" ? "" : `:${entry.portName}`}`;
  const chain = (kind: "SVC" | "SVL" | "EXT" | "FW") => serviceChain(kind, label, protocol);
  const selection = selectForNode(entry, node);
  const affinitySeconds = whole(entry.affinitySeconds, 0, 86_400);
  const pods = podMatch(node);
  const cluster = endpointsOf(selection.cluster);
  const localInside = entry.internalTrafficPolicy === "Local";
  const localOutside = entry.externalTrafficPolicy === "Local";
  const local = localInside || localOutside ? endpointsOf(localInside ? selection.internal : selection.external) : [];
  const isExternal = entry.nodePort !== 0 || entry.externalIPs.length + entry.loadBalancerIPs.length > 0;
  const elements: Element[] = [];

  function own(name: string, rules: readonly string[]): void {
    elements.push({ set: "nat", key: name, value: rules.join("\n") });
  }

  function line(set: Place, key: string, front: string): void {
    elements.push({ set, key, value: "", front });
  }

  /** The match of an address that clients reach the service port at. */
  const at = (address: string, note: string, by = "") =>
    `-d ${only(address)} ${by}${toPort(protocol, comment(note), entry.port)}`;

  /** Where nothing is behind it, clients are told at once, or get no answer where other nodes have something. */
  function refuse(choice: Choice, set: Place, match: (note: string) => string, front: string): void {
    if (typeof choice !== "string") return;
    const why = choice === "drop" ? "has no local endpoints" : "has no endpoints";
    const target = choice === "drop" ? "DROP" : `REJECT --reject-with ${unreachable[family]}`;
    line(set, `${match(`${label} ${why}`)} -j ${target}`, front);
  }

  function endpoint({ address, port }: EndpointEntry): void {
    const to = formatEndpoint(addressText(address, family), whole(port, 1, 65_535));
    const name = endpointChain(label, protocol, to);
    const remember = affinitySeconds === 0 ? "" : `-m recent --set --name ${name} ${wholeSource[family]} `;
    own(name, [
      `-s ${only(address)} ${comment(label)} -j ${markChain}`,
      `-p ${protocol} ${comment(label)} ${remember}-m ${protocol} -j DNAT --to-destination ${to}`,
    ]);
  }

  function balancer(kind: "SVC" | "SVL", endpoints: readonly EndpointEntry[]): void {
    const name = chain(kind);
    const isInternal = kind === (localInside ? "SVL" : "SVC");
    const targets = endpoints.map(({ address, port }) => {
      const to = formatEndpoint(address, port);
      return { to, jump: `-j ${endpointChain(label, protocol, to)}` };
    });
    own(name, [
      ...(isInternal ? masqueradeOutsiders() : []),
      ...targets.flatMap(({ to, jump }) => {
        const known = `-m recent --rcheck --seconds ${affinitySeconds} --reap --name ${endpointChain(label, protocol, to)}`;
        return affinitySeconds === 0 ? [] : [`${comment(`${label} -> ${to}`)} ${known} ${wholeSource[family]} ${jump}`];
      }),
      ...targets.map(({ to, jump }, index) => {
        const left = targets.length - index;
        const chance = left === 1 ? "" : `-m statistic --mode random --probability ${probability(left)} `;
        return `${comment(`${label} -> ${to}`)} ${chance}${jump}`;
      }),
    ]);
  }

  /** Without pod ranges nobody is known to come from elsewhere, and sources stay (upstream without a detector). */
  function masqueradeOutsiders(): string[] {
    const note = `${label} cluster IP`;
    const match = at(entry.clusterIP, note);
    if (node.masqueradeAll === true) return [`${match} -j ${markChain}`];
    if (pods.inside.length === 0) return [];
    if (pods.outside === undefined) return [`${match} -j ${markOutsideChain}`];
    // As it is printed: an interface stands behind addresses.
    const isSource = pods.outside.startsWith("! -s ");
    return [`${isSource ? `${pods.outside} ${match}` : at(entry.clusterIP, note, `${pods.outside} `)} -j ${markChain}`];
  }

  function external(): void {
    const note = (what: string) => comment(`${what} for ${label} external destinations`);
    const isLocal = "-m addrtype --src-type LOCAL";
    own(
      chain("EXT"),
      localOutside
        ? [
            ...pods.inside.map((match) => `${match} ${note("pod traffic")} -j ${chain("SVC")}`),
            `${note("masquerade LOCAL traffic")} ${isLocal} -j ${markChain}`,
            `${note("route LOCAL traffic")} ${isLocal} -j ${chain("SVC")}`,
            ...(typeof selection.external === "string" ? [] : [`-j ${chain("SVL")}`]),
          ]
        : [`${note("masquerade traffic")} -j ${markChain}`, `-j ${chain("SVC")}`],
    );
  }

  function firewall(): void {
    const note = comment(`${label} loadbalancer IP`);
    const sources = new Set(
      entry.loadBalancerIPs.flatMap((address) => sourcesOf(entry.loadBalancerSourceRanges, address, node)),
    );
    own(chain("FW"), [
      ...[...sources].map((range) => `-s ${range} ${note} -j ${chain("EXT")}`),
      comment(`other traffic to ${label} will be dropped by ${proxyFirewallChain}`),
    ]);
  }

  const frontOf = (address: string) => `${address}:${entry.port}/${entry.protocol}`;
  const isServed = cluster.length > 0;
  const isWalled = isServed && entry.loadBalancerSourceRanges.length > 0 && entry.loadBalancerIPs.length > 0;
  const usesCluster = isServed && (!localInside || isExternal);
  const usesLocal = local.length > 0 && (localInside || isExternal);

  for (const each of new Set([...(usesCluster ? cluster : []), ...(usesLocal ? local : [])])) endpoint(each);
  if (usesCluster) balancer("SVC", cluster);
  if (usesLocal) balancer("SVL", local);
  if (isServed && isExternal) external();
  if (isWalled) firewall();

  const inside = frontOf(entry.clusterIP);
  refuse(selection.internal, `filter ${servicesChain}`, (note) => at(entry.clusterIP, note), inside);
  if (typeof selection.internal !== "string") {
    const to = chain(localInside ? "SVL" : "SVC");
    line(`nat ${servicesChain}`, `${at(entry.clusterIP, `${label} cluster IP`)} -j ${to}`, inside);
  }
  for (const address of new Set([...entry.externalIPs, ...entry.loadBalancerIPs])) {
    const front = frontOf(address);
    const isBalanced = !entry.externalIPs.includes(address);
    const to = chain(isWalled && isBalanced ? "FW" : "EXT");
    const match = at(address, `${label} ${isBalanced ? "loadbalancer" : "external"} IP`);
    refuse(selection.external, `filter ${externalServicesChain}`, (note) => at(address, note), front);
    if (!isServed) continue;
    line(`nat ${servicesChain}`, `${match} -j ${to}`, front);
    if (!isWalled || !isBalanced) continue;
    const walled = at(address, `${label} traffic not accepted by ${chain("FW")}`);
    line(`filter ${proxyFirewallChain}`, `${walled} -j DROP`, front);
  }
  if (entry.nodePort !== 0) {
    const front = `node port ${entry.nodePort}/${entry.protocol}`;
    const match = (note: string) => toPort(protocol, comment(note), entry.nodePort, "-m addrtype --dst-type LOCAL ");
    refuse(selection.external, `filter ${externalServicesChain}`, match, front);
    if (isServed) {
      line(`nat ${nodePortsChain}`, `${toPort(protocol, comment(label), entry.nodePort)} -j ${chain("EXT")}`, front);
    }
  }
  if (entry.healthCheckNodePort !== 0) {
    const match = toPort("tcp", comment(`${label} health check node port`), entry.healthCheckNodePort);
    elements.push({ set: `filter ${nodePortsChain}`, key: `${match} -j ACCEPT`, value: "" });
  }
  return elements;
}

/** Clients are remembered by their whole address. */
const wholeSource = {
  4: "--mask 255.255.255.255 --rsource",
  6: "--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource",
} as const satisfies Record<Family, string>;

function endpointsOf(choice: Choice): readonly EndpointEntry[] {
  return typeof choice === "string" ? [] : choice.endpoints;
}
