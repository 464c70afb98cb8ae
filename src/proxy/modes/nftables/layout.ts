import { formatCidr, parseCidr, type Family } from "#base/cidr.ts";
import type { ProxyNode } from "../../mode.ts";
import { interfaceText } from "../checked.ts";
import type { FixedSetName } from "./element.ts";
import { externalLocalChain, masqueradeBit, nodeportLocalChain, rejectChain, tableOf, words } from "./names.ts";

const serviceKey = (family: Family) => `${words[family].ip} daddr . meta l4proto . th dport`;
const nodeport = "meta l4proto . th dport";
const slot = "numgen random mod 2";

/** Element kind of each set and map: type of the key, and after the colon of the value. */
function setsOf(family: Family): Readonly<Record<FixedSetName, string>> {
  const { ip, address } = words[family];
  const service = serviceKey(family);
  return {
    // service address -> the chain that handles it; node port -> the same.
    services: `${service} : verdict`,
    nodeports: `${nodeport} : verdict`,
    // externalTrafficPolicy Local: what pods and processes of this node get, and what all others get.
    shortcuts: `${service} : verdict`,
    "nodeport-shortcuts": `${nodeport} : verdict`,
    "local-services": `${service} : verdict`,
    "local-nodeports": `${nodeport} : verdict`,
    // With session affinity: slot -> lasting number of an endpoint; number -> endpoint; the numbers in use.
    "affinity-slots": `${service} . ${slot} : meta mark`,
    "nodeport-affinity-slots": `${nodeport} . ${slot} : meta mark`,
    "affinity-endpoints": `${address} . inet_proto . inet_service . mark : ${address} . inet_service`,
    "nodeport-affinity-endpoints": `inet_proto . inet_service . mark : ${address} . inet_service`,
    "affinity-valid": `${service} . meta mark`,
    "nodeport-affinity-valid": `${nodeport} . meta mark`,
    // Addresses with nothing behind them: refused or dropped.
    "no-endpoint-services": `${service} : verdict`,
    "no-endpoint-nodeports": `${nodeport} : verdict`,
    "cluster-ips": `${ip} daddr`,
    // An endpoint that is its own client, as a pair of twice the same address.
    hairpin: `${ip} saddr . ${ip} daddr`,
    // Load-balancer addresses with source ranges, and the sources they are open to.
    firewalled: service,
    "firewall-sources": `${service} . ${ip} saddr`,
  };
}

/** The largest number of clients whose endpoint is remembered. */
const affinityLimit = 262_144;

/** A chain without rules whose name tells a later start that it finds this layout, and may keep what clients it knows. */
export const layoutMark = "layout-1";

type Ranges = Pick<
  ProxyNode,
  "family" | "podCidrs" | "serviceCidrs" | "podInterface" | "masqueradeAll" | "nodePortRanges"
>;

/** The commands that make the table from nothing, with all that does not depend on Services. */
export function renderLayout(node: Ranges): string[] {
  const { family = 4 } = node;
  const table = tableOf(family);
  const commands = [`add table ${table}`, `delete table ${table}`, `add table ${table}`];
  for (const [name, type] of Object.entries(setsOf(family))) {
    const word = type.includes("inet_") ? "type" : "typeof";
    const flags = name === "firewall-sources" ? " flags interval;" : "";
    commands.push(`add ${kindOf(type)} ${table} ${name} { ${word} ${type};${flags} }`);
  }
  for (const [name, key] of Object.entries({ affinity: serviceKey(family), "nodeport-affinity": nodeport })) {
    const rest = `flags dynamic,timeout; size ${affinityLimit};`;
    // See `balancer.ts` for why they differ.
    const [kind, between] = family === 6 ? ["set", "."] : ["map", ":"];
    const client = `${words[family].ip} saddr . ${key}`;
    commands.push(`add ${kind} ${table} ${name} { typeof ${client} ${between} meta mark; ${rest} }`);
  }
  for (const [name, hook] of Object.entries(baseChains)) commands.push(`add chain ${table} ${name} { type ${hook}; }`);
  for (const name of [layoutMark, ...Object.keys(chainsOf(node))]) {
    if (!(name in baseChains)) commands.push(`add chain ${table} ${name}`);
  }
  return [...commands, ...renderRules(node)];
}

/**
 * The commands that empty a table of this layout for a new start, but for the endpoints that clients with session
 * affinity had. The chains that pick
 * endpoints stay, each with its map, emptied.
 */
export function renderAdoption(node: Ranges, endpointMaps: readonly string[]): string[] {
  const { family = 4 } = node;
  const table = tableOf(family);
  return [
    ...Object.entries(setsOf(family)).map(([name, type]) => `flush ${kindOf(type)} ${table} ${name}`),
    ...endpointMaps.map((name) => `flush map ${table} ${name}`),
    ...Object.keys(chainsOf(node)).map((name) => `flush chain ${table} ${name}`),
    ...renderRules(node),
  ];
}

function kindOf(type: string): "map" | "set" {
  return type.includes(" : ") ? "map" : "set";
}

function renderRules(node: Ranges): string[] {
  return Object.entries(chainsOf(node)).flatMap(([name, rules]) =>
    rules.map((rule) => `add rule ${tableOf(node.family ?? 4)} ${name} ${rule}`),
  );
}

const baseChains: Readonly<Record<string, string>> = {
  "filter-prerouting-pre-dnat": "filter hook prerouting priority -110",
  "filter-output-pre-dnat": "filter hook output priority -110",
  "nat-prerouting": "nat hook prerouting priority -100",
  "nat-output": "nat hook output priority -100",
  "filter-prerouting": "filter hook prerouting priority -90",
  "filter-output": "filter hook output priority 0",
  "nat-postrouting": "nat hook postrouting priority 100",
};

function chainsOf(node: Ranges): Record<string, string[]> {
  const { family = 4, serviceCidrs, masqueradeAll = false, nodePortRanges } = node;
  const { ip } = words[family];
  const service = serviceKey(family);
  // A node port at ::1 is refused: the kernel lets no packet of ::1 out (upstream: "it never works").
  const some = nodePortRanges === undefined ? undefined : (rangeSet(nodePortRanges, family) ?? "none");
  const within = some === undefined ? "" : `${ip} daddr ${some} `;
  const here = `${within}${family === 6 ? "ip6 daddr != ::1 " : ""}fib daddr type local`;
  const ifHere = (rule: string) => (some === "none" ? [] : [`${here} ${rule}`]);
  const mark = `meta mark set meta mark or ${masqueradeBit}`;
  const pods = podsOf(node);
  const inside = rangeSet(serviceCidrs, family);
  const local = (chain: "services" | "nodeports", shortcuts: string, key: string) => [
    ...(pods === undefined ? [] : [`${pods.inside} ${key} vmap @${shortcuts}`]),
    `fib saddr type local ${mark} ${key} vmap @${shortcuts}`,
    `${key} vmap @local-${chain}`,
  ];
  return {
    // Node ports on 127.0.0.1 need route_localnet; nothing from outside may reach 127.0.0.0/8 through it.
    "filter-prerouting-pre-dnat": [
      ...(family === 4 ? ['iifname != "lo" ip daddr 127.0.0.0/8 drop'] : []),
      "ct state new jump firewall-check",
    ],
    "filter-output-pre-dnat": ["ct state new jump firewall-check"],
    "firewall-check": [`${service} @firewalled ${service} . ${ip} saddr != @firewall-sources drop`],
    "nat-prerouting": ["jump dispatch"],
    "nat-output": ["jump dispatch"],
    dispatch: [
      // Without pod ranges nobody is known to come from elsewhere, and sources stay (upstream without a detector).
      ...(masqueradeAll ? [`${ip} daddr @cluster-ips ${mark}`] : []),
      ...(masqueradeAll || pods === undefined ? [] : [`${ip} daddr @cluster-ips ${pods.outside} ${mark}`]),
      `${service} vmap @services`,
      ...ifHere(`${nodeport} vmap @nodeports`),
    ],
    [externalLocalChain]: local("services", "shortcuts", service),
    [nodeportLocalChain]: local("nodeports", "nodeport-shortcuts", nodeport),
    // After translation and before routing: a node may have no way to a cluster IP, and refusing comes before that.
    "filter-prerouting": ["ct state new jump endpoints-check"],
    "filter-output": ["ct state new jump endpoints-check"],
    "endpoints-check": [
      `${service} vmap @no-endpoint-services`,
      ...ifHere(`${nodeport} vmap @no-endpoint-nodeports`),
      "jump cluster-ips-check",
    ],
    // Also the answer to ping: a cluster IP is no machine, and the packet never leaves the node.
    "cluster-ips-check": [
      `${ip} daddr @cluster-ips goto ${rejectChain}`,
      ...(inside === undefined ? [] : [`${ip} daddr ${inside} drop`]),
    ],
    [rejectChain]: ["meta l4proto tcp reject with tcp reset", "reject"],
    "nat-postrouting": [
      `meta mark and ${masqueradeBit} == ${masqueradeBit} meta mark set meta mark xor ${masqueradeBit} masquerade fully-random`,
      `ct status dnat ${ip} saddr . ${ip} daddr @hairpin masquerade fully-random`,
    ],
  };
}

/** How a packet of pods is known, and one that is of nobody here; `undefined` where pods are not known. */
function podsOf({ family = 4, podCidrs, podInterface }: Ranges): { inside: string; outside: string } | undefined {
  if (podInterface !== undefined) {
    const name = `"${interfaceText(podInterface).replace("+", "*")}"`;
    return { inside: `iifname ${name}`, outside: `iifname != ${name}` };
  }
  const source = `${words[family].ip} saddr`;
  const ranges = rangeSet(podCidrs, family);
  return ranges === undefined ? undefined : { inside: `${source} ${ranges}`, outside: `${source} != ${ranges}` };
}

/** `{ 10.244.0.0/16 }`, written anew from the parsed ranges; `undefined` when there is none of the family. */
function rangeSet(ranges: readonly string[], family: Family): string | undefined {
  const parsed = ranges.flatMap((text) => parseCidr(text) ?? []).filter((range) => range.family === family);
  return parsed.length === 0 ? undefined : `{ ${parsed.map((range) => formatCidr(range)).join(", ")} }`;
}
