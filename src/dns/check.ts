import { isIP } from "node:net";
import { nameFromText } from "#wire/dns/name.ts";
import { rewriteProblem } from "./rewrite/rules.ts";
import type { DnsSettings, ForwardRule } from "./settings.ts";

const longestTtl = 3_600;
const day = 86_400;

/**
 * What is wrong with settings, each in one line that begins with the field; empty when they can be used. Settings are
 * used as a whole or not at all, so that no half of a configuration is ever in force.
 */
export function settingsProblems(settings: DnsSettings): string[] {
  const problems: string[] = [];
  const say = (field: string, problem: string) => problems.push(`${field}: ${problem}`);
  const number = (field: string, value: number | undefined, least: number, most: number) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most))
      say(field, `${value} is not a whole number from ${least} to ${most}`);
  };
  const zone = (field: string, text: string, rootToo = false) => {
    if (text === "." ? !rootToo : !nameFromText(text)) say(field, `${text} is not the name of a zone`);
  };

  for (const [index, text] of (settings.zones ?? []).entries()) zone(`zones[${index}]`, text);
  number("ttlSeconds", settings.ttlSeconds, 0, longestTtl);
  number("negativeTtlSeconds", settings.negativeTtlSeconds, 0, longestTtl);
  number("workers", settings.workers, 1, 32);
  for (const [index, rule] of (settings.forward ?? []).entries()) forward(`forward[${index}]`, rule);

  function forward(at: string, rule: ForwardRule): void {
    zone(`${at}.zone`, rule.zone, true);
    for (const [index, { address, port }] of rule.upstreams.entries()) {
      if (isIP(address.split("%")[0] ?? "") === 0) say(`${at}.upstreams[${index}]`, `${address} is not an address`);
      number(`${at}.upstreams[${index}].port`, port, 1, 65_535);
    }
    for (const [index, text] of (rule.except ?? []).entries()) zone(`${at}.except[${index}]`, text);
    number(`${at}.attemptTimeoutMs`, rule.attemptTimeoutMs, 1, 60_000);
    number(`${at}.totalTimeoutMs`, rule.totalTimeoutMs, 1, 60_000);
    number(`${at}.maxConcurrent`, rule.maxConcurrent, 1, 100_000);
    number(`${at}.maxFails`, rule.maxFails, 0, 1_000);
    number(`${at}.healthCheckMs`, rule.healthCheckMs, 50, 600_000);
  }

  const { cache, hosts, limits } = settings;
  number("cache.capacity", cache?.capacity, 0, 1_000_000);
  number("cache.maxTtlSeconds", cache?.maxTtlSeconds, 0, 65_535);
  number("cache.maxNegativeTtlSeconds", cache?.maxNegativeTtlSeconds, 0, 65_535);
  number("cache.minTtlSeconds", cache?.minTtlSeconds, 0, 65_535);
  number("cache.prefetch.hits", cache?.prefetch?.hits, 1, 1_000_000);
  number("cache.prefetch.percent", cache?.prefetch?.percent, 1, 90);
  number("cache.serveStaleSeconds", cache?.serveStaleSeconds, 0, 7 * day);
  number("hosts.ttlSeconds", hosts?.ttlSeconds, 0, 7 * day);
  for (const [index, { address, names }] of (hosts?.entries ?? []).entries()) {
    if (isIP(address) === 0) say(`hosts.entries[${index}]`, `${address} is not an address`);
    for (const name of names) if (!nameFromText(name)) say(`hosts.entries[${index}]`, `${name} is not a name`);
  }
  for (const [index, rule] of (settings.rewrite ?? []).entries()) {
    const problem = rewriteProblem(rule);
    if (problem !== undefined) say(`rewrite[${index}]`, problem);
  }
  number("limits.udpPayload", limits?.udpPayload, 512, 4_096);
  number("limits.tcpConnections", limits?.tcpConnections, 1, 100_000);
  number("limits.tcpIdleMs", limits?.tcpIdleMs, 100, 600_000);
  number("limits.perClientRate", limits?.perClientRate, 0, 1_000_000);
  return problems;
}
