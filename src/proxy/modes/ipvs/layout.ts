import type { Family } from "#base/cidr.ts";
import type { ProxyNode } from "../../mode.ts";
import type { ChainNames } from "../iptables/kernel.ts";
import { markOutside } from "../iptables/layout.ts";
import {
  forwardChain,
  markChain,
  markOutsideChain,
  postroutingChain,
  proxyFirewallChain,
  servicesChain,
} from "../iptables/names.ts";
import { comment, podMatch, type Element, type Table } from "../iptables/rule.ts";
import { kernelName, sets, type SetName } from "./sets.ts";

const nodePortChain = "KUBE-NODE-PORT";
const loadBalancerChain = "KUBE-LOAD-BALANCER";
const sourceRangesChain = "KUBE-SOURCE-RANGES-FIREWALL";
/** No other mode has it: where it is, chains of common names are those of ipvs. */
export const accessChain = "KUBE-IPVS-FILTER";
const mark = "0x4000/0x4000";

const jumps: readonly (readonly [table: Table, chain: string, to: string, note: string])[] = [
  ["filter", "INPUT", proxyFirewallChain, "kube-proxy firewall rules"],
  ["filter", "INPUT", nodePortChain, "kubernetes health check rules"],
  ["filter", "INPUT", accessChain, "kubernetes ipvs access filter"],
  ["filter", "FORWARD", proxyFirewallChain, "kube-proxy firewall rules"],
  ["filter", "FORWARD", forwardChain, "kubernetes forwarding rules"],
  ["nat", "PREROUTING", servicesChain, "kubernetes service portals"],
  ["nat", "OUTPUT", servicesChain, "kubernetes service portals"],
  ["nat", "POSTROUTING", postroutingChain, "kubernetes postrouting rules"],
];

const unreachable = { 4: "icmp-port-unreachable", 6: "icmp6-port-unreachable" } as const satisfies Record<
  Family,
  string
>;

type LayoutNode = Pick<ProxyNode, "family" | "podCidrs" | "podInterface" | "masqueradeAll">;

/**
 * The rules, which are few and never change with Services: those of upstream pkg/proxy/ipvs. They say whose source
 * becomes the node's and what may come in; where packets go is for ip_vs to say.
 */
export function renderRules(node: LayoutNode): Element[] {
  const { family = 4, masqueradeAll = false } = node;
  /** A packet whose places `at` are in the set: `dst,dst` is its destination and port. */
  const inSet = (name: SetName, at: string) => `-m set --match-set ${kernelName(name, family)} ${at}`;
  const known = (name: SetName, at: string) => `${comment(sets[name][1])} ${inSet(name, at)}`;
  const pods = podMatch(node);
  const outsiders = masqueradeAll || pods.outside === undefined ? "" : `${pods.outside} `;
  // Without pod ranges what comes from the address of a Service itself, which the node takes as its source.
  const clusterSource = pods.inside.length === 0 && !masqueradeAll ? "src,dst" : "dst,dst";
  const markOutsiders = pods.inside.length > 1 && !masqueradeAll ? markOutsideChain : markChain;
  /** From elsewhere and not by a bridge of ours, or for this node: no other rule is to change it. */
  const acceptExternal = (name: SetName) => [
    `${known(name, "dst,dst")} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j ACCEPT`,
    `${known(name, "dst,dst")} -m addrtype --dst-type LOCAL -j ACCEPT`,
  ];
  const nodePort = (protocol: "tcp" | "udp" | "sctp", local: SetName, all: SetName) => {
    const at = protocol === "sctp" ? "dst,dst" : "dst";
    return [`-p ${protocol} ${known(local, at)} -j RETURN`, `-p ${protocol} ${known(all, at)} -j ${markChain}`];
  };
  const own: readonly (readonly [table: Table, chain: string, rules: readonly string[]])[] = [
    ["nat", markChain, [`-j MARK --set-xmark ${mark}`]],
    ...markOutside(node),
    ["nat", loadBalancerChain, [`${known("KUBE-LOAD-BALANCER-LOCAL", "dst,dst")} -j RETURN`, `-j ${markChain}`]],
    [
      "nat",
      nodePortChain,
      [
        ...nodePort("tcp", "KUBE-NODE-PORT-LOCAL-TCP", "KUBE-NODE-PORT-TCP"),
        ...nodePort("udp", "KUBE-NODE-PORT-LOCAL-UDP", "KUBE-NODE-PORT-UDP"),
        ...nodePort("sctp", "KUBE-NODE-PORT-LOCAL-SCTP-HASH", "KUBE-NODE-PORT-SCTP-HASH"),
      ],
    ],
    [
      "nat",
      servicesChain,
      [
        `${known("KUBE-LOAD-BALANCER", "dst,dst")} -j ${loadBalancerChain}`,
        `${outsiders}${known("KUBE-CLUSTER-IP", clusterSource)} -j ${markOutsiders}`,
        `${known("KUBE-EXTERNAL-IP", "dst,dst")} -j ${markChain}`,
        ...acceptExternal("KUBE-EXTERNAL-IP"),
        ...acceptExternal("KUBE-EXTERNAL-IP-LOCAL"),
        `-m addrtype --dst-type LOCAL -j ${nodePortChain}`,
        `${inSet("KUBE-CLUSTER-IP", "dst,dst")} -j ACCEPT`,
        `${inSet("KUBE-LOAD-BALANCER", "dst,dst")} -j ACCEPT`,
      ],
    ],
    [
      "nat",
      postroutingChain,
      [
        `${known("KUBE-LOOP-BACK", "dst,dst,src")} -j MASQUERADE`,
        `-m mark ! --mark ${mark} -j RETURN`,
        "-j MARK --set-xmark 0x4000/0x0",
        `${comment("kubernetes service traffic requiring SNAT")} -j MASQUERADE --random-fully`,
      ],
    ],
    [
      "filter",
      forwardChain,
      [
        `${comment("kubernetes forwarding rules")} -m mark --mark ${mark} -j ACCEPT`,
        `${comment("kubernetes forwarding conntrack rule")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      ],
    ],
    ["filter", nodePortChain, [`${known("KUBE-HEALTH-CHECK-NODE-PORT", "dst")} -j ACCEPT`]],
    [
      "filter",
      sourceRangesChain,
      [
        `${known("KUBE-LOAD-BALANCER-SOURCE-CIDR", "dst,dst,src")} -j RETURN`,
        `${known("KUBE-LOAD-BALANCER-SOURCE-IP", "dst,dst,src")} -j RETURN`,
        "-j DROP",
      ],
    ],
    ["filter", proxyFirewallChain, [`${known("KUBE-LOAD-BALANCER-FW", "dst,dst")} -j ${sourceRangesChain}`]],
    // The addresses are the node's own on kube-ipvs0: its programs must not be reached at them.
    [
      "filter",
      accessChain,
      [
        ...(["KUBE-LOAD-BALANCER", "KUBE-CLUSTER-IP", "KUBE-EXTERNAL-IP", "KUBE-EXTERNAL-IP-LOCAL"] as const).map(
          (name) => `${inSet(name, "dst,dst")} -j RETURN`,
        ),
        `${inSet("KUBE-HEALTH-CHECK-NODE-PORT", "dst")} -j RETURN`,
        `-m conntrack --ctstate NEW ${inSet("KUBE-IPVS-IPS", "dst")} -j REJECT --reject-with ${unreachable[family]}`,
      ],
    ],
  ];
  return [
    ...own.map(([set, key, rules]): Element => ({ set, key, value: rules.join("\n") })),
    ...jumps.map(([table, chain, to, note]): Element => ({
      set: `${table} ${chain}`,
      key: `${comment(note)} -j ${to}`,
      value: "",
    })),
  ];
}

const chains: Readonly<Partial<Record<Table, readonly string[]>>> = {
  nat: [markChain, markOutsideChain, loadBalancerChain, nodePortChain, servicesChain, postroutingChain],
  filter: [forwardChain, nodePortChain, sourceRangesChain, proxyFirewallChain, accessChain],
};

/** All chains of this mode are written whole. */
export const chainNames: ChainNames = {
  isShared: () => false,
  isOwn: (table, chain) => chains[table]?.includes(chain) ?? false,
};
