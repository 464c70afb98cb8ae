import type { Family } from "#base/cidr.ts";
import type { Source } from "#routing/because.ts";
import { chainNames } from "#proxy/modes/iptables/layout.ts";
import { parseSaved } from "#proxy/modes/iptables/kernel.ts";
import { chainNames as ipvsChains } from "#proxy/modes/ipvs/layout.ts";
import { parseConnections, parseServers } from "#proxy/modes/ipvs/kernel.ts";
import { parseTable } from "#proxy/modes/nftables/inspect.ts";
import { tableOf } from "#proxy/modes/nftables/names.ts";
import { iptablesOf, linesOf, type Rule, type RulesMode } from "./render.ts";

/** A rule as it stands on a node. */
export interface LiveRule extends Rule {
  /** What it counts: packets and bytes, or connections; none where nothing is counted. */
  readonly count?: string;
  /** Nobody of the service proxy made it, or its Service has changed since. */
  readonly isUnknown: boolean;
}

/** What the node's programs printed; a text that is missing is of a program that is not there, or of nothing to print. */
export interface LiveTexts {
  /** `nft list table ip kube-proxy`, or `ip6` */
  readonly table?: string;
  /** `conntrack -L -f ipv4`, or `ipv6` */
  readonly flows?: string;
  /** `iptables-save -c`, or `ip6tables-save -c` */
  readonly saved?: string;
  /** `ipvsadm -S -n` and `ipvsadm -L -n`, of both families */
  readonly servers?: string;
  readonly connections?: string;
}

/**
 * What stands on a node in a mode, with what is counted and with the objects behind it, which `rendered` names. Empty when
 * nothing of the mode stands there. Pure.
 */
export function annotateLive(
  mode: RulesMode,
  texts: LiveTexts,
  rendered: readonly Rule[],
  family: Family = 4,
): LiveRule[] {
  const because = new Map(rendered.map((rule) => [rule.text, rule.because]));
  const known = (text: string, count?: string): LiveRule => {
    const found = because.get(text);
    return { text, because: found ?? [], isUnknown: found === undefined, ...(count === undefined ? {} : { count }) };
  };
  if (mode === "nftables") return liveElements(texts, known, family);
  if (mode === "iptables") return liveRules(texts.saved ?? "", known, family);
  return texts.servers === undefined ? [] : liveServers(texts, known, family);
}

type Known = (text: string, count?: string) => LiveRule;

/** Elements count nothing; how many connections each endpoint has now is known to connection tracking. */
function liveElements({ table = "", flows = "" }: LiveTexts, known: Known, family: Family): LiveRule[] {
  const counts = countFlows(flows);
  const rules: LiveRule[] = [];
  for (const [set, elements] of parseTable(table).sets) {
    if (/^(?:nodeport-)?affinity$/.test(set)) continue;
    for (const [key, value] of elements) {
      const text = `add element ${tableOf(family)} ${set} { ${key}${value === "" ? "" : ` : ${value}`} }`;
      const isEndpoint = set.startsWith("endpoints-lb-") || set.startsWith("endpoints-local-");
      const [address = "", protocol = "", port = ""] = key.split(" . ");
      const flow = `${protocol} ${address}:${port} ${value.replace(" . ", ":")}`;
      rules.push(known(text, isEndpoint ? `${counts.get(flow) ?? 0} connections` : undefined));
    }
  }
  return rules;
}

/** By protocol, where the client sends to and who answers: how many connections there are. Pure. */
export function countFlows(flows: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of flows.split("\n")) {
    const protocol = /^(\w+)/.exec(line)?.[1] ?? "";
    const [, to, toPort, from, fromPort] =
      / dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+) /.exec(line) ?? [];
    if (to === undefined) continue;
    const key = `${protocol} ${to}:${toPort} ${from}:${fromPort}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Chains of the mode ipvs have the same names; what is in one of its own is left to it. */
function liveRules(saved: string, known: Known, family: Family): LiveRule[] {
  if (saved.includes(":KUBE-IPVS-FILTER ")) return [];
  const rules: LiveRule[] = [];
  let table = "";
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1);
    const [, packets, bytes, rule = ""] = /^\[(\d+):(\d+)\] (-A .*)$/.exec(line) ?? [];
    if (packets === undefined) continue;
    const found = parseSaved(`*${table}\n:${rule.split(" ")[1]} - [0:0]\n${rule}`, chainNames);
    if (found.length === 0) continue;
    rules.push(known(`${iptablesOf(family)} -t ${table} ${rule}`, `${packets} packets, ${bytes} bytes`));
  }
  return rules;
}

function liveServers(
  { servers = "", connections = "", saved = "" }: LiveTexts,
  known: Known,
  family: Family,
): LiveRule[] {
  const counts = new Map(parseConnections(connections).map((real) => [real.key, real.connections]));
  const lines = parseServers(servers, family).map(({ set, key, value }) =>
    set === "server"
      ? known(`ipvsadm -A ${key} ${value}`)
      : known(`ipvsadm -a ${key} -m -w ${value}`, `${counts.get(key) ?? 0} connections`),
  );
  const rules = parseSaved(saved.replaceAll(/^\[\d+:\d+\] /gm, ""), ipvsChains).flatMap((element) =>
    linesOf(element, family)
      .filter((line) => line.includes(" -A "))
      .map((line) => known(line, countOf(saved, line))),
  );
  return lines.length === 0 ? [] : [...lines, ...rules];
}

function countOf(saved: string, line: string): string | undefined {
  const rule = line.replace(/^ip6?tables -t \S+ /, "");
  const at = saved.split("\n").find((each) => each.endsWith(`] ${rule}`));
  const [, packets, bytes] = /^\[(\d+):(\d+)\]/.exec(at ?? "") ?? [];
  return packets === undefined ? undefined : `${packets} packets, ${bytes} bytes`;
}

/** How a source is written in text. */
export function sourceText({ kind, namespace, name, field }: Source): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}${field === undefined ? "" : ` ${field}`}`;
}
