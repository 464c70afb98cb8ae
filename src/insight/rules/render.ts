import type { Family } from "#base/cidr.ts";
import { silentLog } from "#base/log.ts";
import type { Problem, Source } from "#routing/because.ts";
import { diffServices } from "#routing/l4/diff.ts";
import type { ServicePortEntry, ServiceTable } from "#routing/l4/table.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { addressBits } from "#proxy/modes/checked.ts";
import { createClaims } from "#proxy/modes/claims.ts";
import { createElementLedger, type LedgerElement } from "#proxy/modes/ledger.ts";
import { renderLayout as renderChains } from "#proxy/modes/iptables/layout.ts";
import { renderEntry as renderIptables } from "#proxy/modes/iptables/render.ts";
import type { Element as IptablesElement } from "#proxy/modes/iptables/rule.ts";
import { device, type Element as IpvsElement } from "#proxy/modes/ipvs/element.ts";
import { renderRules } from "#proxy/modes/ipvs/layout.ts";
import { renderEntry as renderIpvs } from "#proxy/modes/ipvs/render.ts";
import { kernelName, renderSets } from "#proxy/modes/ipvs/sets.ts";
import { renderBalancer, type Balancer } from "#proxy/modes/nftables/balancer.ts";
import { renderEntry as renderNftables } from "#proxy/modes/nftables/elements.ts";
import { renderLayout } from "#proxy/modes/nftables/layout.ts";
import { tableOf } from "#proxy/modes/nftables/names.ts";

/** One command by which a rule, or what rules look up, comes into the kernel. */
export interface Rule {
  readonly text: string;
  /** The objects it comes from; none for what stands there for all Services. */
  readonly because: readonly Source[];
}

export interface RenderedRules {
  readonly mode: RulesMode;
  readonly family: Family;
  readonly rules: readonly Rule[];
  /** What of the objects could not be used; all others are. */
  readonly problems: readonly Problem[];
}

export const rulesModes = ["nftables", "iptables", "ipvs"] as const;
export type RulesMode = (typeof rulesModes)[number];

/** The rules that a mode would have on a node, by the code that makes them there. Pure, and needs no root. */
export function renderRulesOf(mode: RulesMode, table: ServiceTable, node: ProxyNode): RenderedRules {
  return { mode, family: table.family, ...renderers[mode](table, node) };
}

type Rendered = Omit<RenderedRules, "mode" | "family">;

const renderers: Readonly<Record<RulesMode, (table: ServiceTable, node: ProxyNode) => Rendered>> = {
  nftables(table, node) {
    const balancers = new Map<string, { balancer: Balancer; users: ServicePortEntry[] }>();
    const claimed = claim(table, (entry) => {
      const rendering = renderNftables(entry, node);
      for (const [name, balancer] of rendering.balancers) {
        const known = balancers.get(name);
        if (known === undefined) balancers.set(name, { balancer, users: [entry] });
        else known.users.push(entry);
      }
      return rendering.elements;
    });
    return {
      problems: claimed.problems,
      rules: [
        ...renderLayout(node).map(forAll),
        ...[...balancers.values()].flatMap(({ balancer, users }) =>
          renderBalancer(balancer, node.family).map((text) => ({ text, because: unique(users.map(serviceOf)) })),
        ),
        ...claimed.elements.map(({ element: { set, key, value }, because }) => ({
          text: `add element ${tableOf(node.family ?? 4)} ${set} { ${key}${value === "" ? "" : ` : ${value}`} }`,
          because,
        })),
      ],
    };
  },
  iptables(table, node) {
    const claimed = claim(table, (entry) => renderIptables(entry, node));
    return {
      problems: claimed.problems,
      rules: [
        ...renderChains(node).flatMap((element) => linesOf(element, node.family).map(forAll)),
        ...claimed.elements.flatMap(({ element, because }) =>
          linesOf(element, node.family).map((text) => ({ text, because })),
        ),
      ],
    };
  },
  ipvs(table, node) {
    const claimed = claim(table, (entry) => renderIpvs(entry, node));
    return {
      problems: claimed.problems,
      rules: [
        forAll(`ip link add ${device} type dummy`),
        ...renderSets(node.family).map((line) => forAll(`ipset ${line}`)),
        ...renderRules(node).flatMap((element) => linesOf(element, node.family).map(forAll)),
        ...claimed.elements.map(({ element, because }) => ({ text: ipvsLine(element, node.family), because })),
      ],
    };
  },
};

/** What the Services claim, each element with the objects of the one that has it: of two that want one place the older. */
function claim<P extends string>(
  table: ServiceTable,
  render: (entry: ServicePortEntry) => readonly LedgerElement<P>[],
): { elements: { element: LedgerElement<P>; because: readonly Source[] }[]; problems: Problem[] } {
  const ledger = createElementLedger<P>();
  const claims = createClaims(ledger, render, silentLog);
  claims.update(diffServices(undefined, table));
  const elements = ledger.takeAll().map((element) => {
    const owner = ledger.ownerOf(element.set, element.key) ?? "";
    const entry = table.ports.get(owner.slice(owner.indexOf(" ") + 1));
    return { element, because: entry?.because.from ?? [] };
  });
  return { elements, problems: [...table.problems, ...claims.problems()] };
}

function forAll(text: string): Rule {
  return { text, because: [] };
}

/** The program of a family. */
export function iptablesOf(family: Family): string {
  return family === 6 ? "ip6tables" : "iptables";
}

/** As `iptables` takes them: a chain before its rules. */
export function linesOf({ set, key, value }: IptablesElement, family: Family = 4): string[] {
  const [table = "", place] = set.split(" ");
  const command = `${iptablesOf(family)} -t ${table}`;
  if (place === "shared") return [`${command} -N ${key}`];
  if (place !== undefined) return [`${command} -A ${place} ${key}`];
  return [
    `${command} -N ${key}`,
    ...(value === "" ? [] : value.split("\n")).map((rule) => `${command} -A ${key} ${rule}`),
  ];
}

function ipvsLine({ set, key, value }: IpvsElement, family: Family = 4): string {
  if (set === "address") return `ip addr add ${key}/${addressBits[family]} dev ${device}`;
  if (set === "server") return `ipvsadm -A ${key} ${value}`;
  if (set === "real") return `ipvsadm -a ${key} -m -w ${value}`;
  return `ipset add ${kernelName(set, family)} ${key}`;
}

function serviceOf({ namespace, name }: ServicePortEntry): Source {
  return { kind: "Service", namespace, name };
}

function unique(sources: readonly Source[]): Source[] {
  return [...new Map(sources.map((source) => [`${source.namespace}/${source.name}`, source])).values()];
}
