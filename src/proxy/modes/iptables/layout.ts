import type { Family } from "#base/cidr.ts";
import type { ProxyNode } from "../../mode.ts";
import {
  canaryChain,
  externalServicesChain,
  firewallChain,
  forwardChain,
  markChain,
  markOutsideChain,
  nodePortsChain,
  postroutingChain,
  proxyFirewallChain,
  servicePattern,
  servicesChain,
} from "./names.ts";
import type { ChainNames } from "./kernel.ts";
import { comment, podMatch, rangesOf, type Element, type Table } from "./rule.ts";

const shared: Readonly<Record<Table, readonly string[]>> = {
  filter: [canaryChain, servicesChain, externalServicesChain, nodePortsChain, proxyFirewallChain],
  nat: [canaryChain, servicesChain, nodePortsChain],
  mangle: [canaryChain],
};

/** Of the marked bit nothing is left when the packet leaves (`masqueradeBit: 14`). */
const mark = "0x4000/0x4000";
const isNew = "-m conntrack --ctstate NEW";
const portals = comment("kubernetes service portals");
const externalPortals = comment("kubernetes externally-visible service portals");
const balancers = comment("kubernetes load balancer firewall");

/** From the kernel's own chains to ours, in the order they stand there. */
const jumps: readonly (readonly [table: Table, chain: string, rule: string])[] = [
  ["filter", "INPUT", `${isNew} ${balancers} -j ${proxyFirewallChain}`],
  ["filter", "INPUT", `${comment("kubernetes health check service ports")} -j ${nodePortsChain}`],
  ["filter", "INPUT", `${isNew} ${externalPortals} -j ${externalServicesChain}`],
  ["filter", "INPUT", `-j ${firewallChain}`],
  ["filter", "FORWARD", `${isNew} ${balancers} -j ${proxyFirewallChain}`],
  ["filter", "FORWARD", `${comment("kubernetes forwarding rules")} -j ${forwardChain}`],
  ["filter", "FORWARD", `${isNew} ${portals} -j ${servicesChain}`],
  ["filter", "FORWARD", `${isNew} ${externalPortals} -j ${externalServicesChain}`],
  ["filter", "OUTPUT", `${isNew} ${balancers} -j ${proxyFirewallChain}`],
  ["filter", "OUTPUT", `${isNew} ${portals} -j ${servicesChain}`],
  ["filter", "OUTPUT", `-j ${firewallChain}`],
  ["nat", "PREROUTING", `${portals} -j ${servicesChain}`],
  ["nat", "OUTPUT", `${portals} -j ${servicesChain}`],
  ["nat", "POSTROUTING", `${comment("kubernetes postrouting rules")} -j ${postroutingChain}`],
];

const nodePortsNote = comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain");
/** Of IPv6 the kernel lets no packet of ::1 out, whatever it is translated to (upstream: "it never works"). */
const notLoopback = { 4: "", 6: "! -d ::1/128 " } as const satisfies Record<Family, string>;

/** The last rules of KUBE-SERVICES: an address with a port comes before a node port. */
export function nodePortsJumps({ family = 4, nodePortRanges }: Pick<ProxyNode, "family" | "nodePortRanges">): string[] {
  const everywhere = nodePortRanges === undefined ? [notLoopback[family]] : [];
  const some = rangesOf(nodePortRanges ?? [], family).map((range) =>
    range.endsWith("/0") ? notLoopback[family] : `-d ${range} `,
  );
  return [...new Set([...everywhere, ...some])].map(
    (match) => `${match}${nodePortsNote} -m addrtype --dst-type LOCAL -j ${nodePortsChain}`,
  );
}

/** Whether a rule is one of those last. */
export function isLastRule(rule: string): boolean {
  return rule.includes(nodePortsNote);
}

type LayoutNode = Pick<ProxyNode, "family" | "podCidrs" | "podInterface" | "nodePortRanges">;

/** All that does not depend on Services (upstream pkg/proxy/iptables). */
export function renderLayout(node: LayoutNode): Element[] {
  const { family = 4 } = node;
  const own: readonly (readonly [table: Table, chain: string, rules: readonly string[]])[] = [
    [
      "filter",
      forwardChain,
      [
        "-m conntrack --ctstate INVALID -j DROP",
        `${comment("kubernetes forwarding rules")} -m mark --mark ${mark} -j ACCEPT`,
        `${comment("kubernetes forwarding conntrack rule")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      ],
    ],
    // Node ports at 127.0.0.1 need route_localnet, which would let neighbours reach 127.0.0.0/8 as well.
    [
      "filter",
      firewallChain,
      family === 6
        ? []
        : [
            `! -s 127.0.0.0/8 -d 127.0.0.0/8 ${comment("block incoming localnet connections")} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
          ],
    ],
    ["nat", markChain, [`-j MARK --set-xmark ${mark}`]],
    [
      "nat",
      postroutingChain,
      [
        `-m mark ! --mark ${mark} -j RETURN`,
        "-j MARK --set-xmark 0x4000/0x0",
        `${comment("kubernetes service traffic requiring SNAT")} -j MASQUERADE --random-fully`,
      ],
    ],
    ...markOutside(node),
  ];
  return [
    ...Object.entries(shared).flatMap(([table, chains]) =>
      chains.map((key): Element => ({ set: `${table as Table} shared`, key, value: "" })),
    ),
    ...own.map(([set, key, rules]): Element => ({ set, key, value: rules.join("\n") })),
    ...nodePortsJumps(node).map((key): Element => ({ set: `nat ${servicesChain}`, key, value: "" })),
    ...jumps.map(([table, chain, key]): Element => ({ set: `${table} ${chain}`, key, value: "" })),
  ];
}

/** With one pod range a rule can say itself who is outside; with several it needs a chain. */
export function markOutside(node: LayoutNode): (readonly [Table, string, readonly string[]])[] {
  const { inside } = podMatch(node);
  if (inside.length < 2) return [];
  return [["nat", markOutsideChain, [...inside.map((match) => `${match} -j RETURN`), `-j ${markChain}`]]];
}

/**
 * Fails, and changes nothing otherwise, when another program emptied the table of its chains. It goes before every
 * change, which would else make chains that nobody comes to; to look for the jumps as well is dear with many rules.
 */
export const tripwire = `*nat\n-F ${canaryChain}\nCOMMIT`;

/** Fails, and changes nothing otherwise, when another program took chains of any table or the jumps to them away. */
export const guard: string = (Object.keys(shared) as Table[])
  .flatMap((table) => [
    `*${table}`,
    `-F ${canaryChain}`,
    ...jumps.filter(([of]) => of === table).map(([, chain, rule]) => `-C ${chain} ${rule}`),
    "COMMIT",
  ])
  .join("\n");

const staticChains = new Set([forwardChain, firewallChain, markChain, postroutingChain, markOutsideChain]);

/** The chains that this mode writes. */
export const chainNames: ChainNames = {
  isShared: (table, chain) => shared[table].includes(chain),
  isOwn: (table, chain) => (table === "nat" && servicePattern.test(chain)) || staticChains.has(chain),
};
