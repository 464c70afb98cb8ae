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
import { comment, rangesOf, type Element, type Table } from "./rule.ts";

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

/** The last rule of KUBE-SERVICES: an address with a port comes before a node port. */
export function nodePortsJump(family: Family): string {
  return `${notLoopback[family]}${nodePortsNote} -m addrtype --dst-type LOCAL -j ${nodePortsChain}`;
}

/** Whether a rule is that last one. */
export function isLastRule(rule: string): boolean {
  return rule.includes(nodePortsNote);
}

/** All that does not depend on Services (upstream pkg/proxy/iptables). */
export function renderLayout({ family = 4, podCidrs }: Pick<ProxyNode, "family" | "podCidrs">): Element[] {
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
    ...markOutside(podCidrs, family),
  ];
  return [
    ...Object.entries(shared).flatMap(([table, chains]) =>
      chains.map((key): Element => ({ set: `${table as Table} shared`, key, value: "" })),
    ),
    ...own.map(([set, key, rules]): Element => ({ set, key, value: rules.join("\n") })),
    { set: `nat ${servicesChain}`, key: nodePortsJump(family), value: "" },
    ...jumps.map(([table, chain, key]): Element => ({ set: `${table} ${chain}`, key, value: "" })),
  ];
}

/** With one pod range a rule can say itself who is outside; with several it needs a chain. */
export function markOutside(
  podCidrs: readonly string[],
  family: Family,
): (readonly [Table, string, readonly string[]])[] {
  const pods = rangesOf(podCidrs, family);
  if (pods.length < 2) return [];
  return [["nat", markOutsideChain, [...pods.map((range) => `-s ${range} -j RETURN`), `-j ${markChain}`]]];
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
