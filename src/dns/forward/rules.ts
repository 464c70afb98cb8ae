import { isWithin, lowerName, nameFromText, type WireName } from "#wire/dns/name.ts";
import type { Upstream } from "../contract.ts";
import type { ForwardRule } from "../settings.ts";
import { createForwarder, type Forwarder, type ForwarderOptions } from "./forward.ts";

/** Which upstreams are asked for which names. */
export interface Forwarding {
  /** The forwarder of the longest zone that fits, if it has upstreams; a name below `except` has none. */
  forwarderFor(name: WireName): Forwarder | undefined;
  /** Other rules from now on. A rule that stays keeps what it knows of its upstreams; one that goes ends its questions. */
  setRules(rules: readonly ForwardRule[], choose: ChooseUpstreams): void;
  checkLoops(): void;
  cameBack(name: WireName): boolean;
  stop(): void;
}

/** Leaves out upstreams that may not be asked. */
export type ChooseUpstreams = (wanted: readonly Upstream[]) => readonly Upstream[];

interface Rule {
  readonly key: string;
  readonly zone: WireName;
  readonly except: readonly WireName[];
  readonly forwarder: Forwarder;
}

export function createForwarding(
  options: Pick<ForwarderOptions, "clock" | "log" | "counters" | "random">,
  defaults: Pick<ForwarderOptions, "attemptTimeout" | "totalTimeout"> = {},
): Forwarding {
  /** The longest zone first. */
  let rules: readonly Rule[] = [];

  function make(key: string, rule: ForwardRule): Rule {
    const { policy, maxConcurrent, maxFails, attemptTimeoutMs, totalTimeoutMs, healthCheckMs } = rule;
    const forwarder = createForwarder({
      ...options,
      upstreams: [],
      policy,
      maxConcurrent,
      maxFails,
      healthCheck: healthCheckMs,
      attemptTimeout: attemptTimeoutMs ?? defaults.attemptTimeout,
      totalTimeout: totalTimeoutMs ?? defaults.totalTimeout,
    });
    return { key, zone: zoneOf(rule.zone), except: (rule.except ?? []).map(zoneOf), forwarder };
  }

  return {
    forwarderFor(name) {
      for (const { zone, except, forwarder } of rules) {
        if (!isWithin(name, zone)) continue;
        if (!forwarder.hasUpstreams() || except.some((hidden) => isWithin(name, hidden))) return undefined;
        return forwarder;
      }
      return undefined;
    },
    setRules(wanted, choose) {
      const before = new Map(rules.map((rule) => [rule.key, rule]));
      const next = new Map<WireName, Rule>();
      for (const rule of wanted) {
        // Other upstreams of the same rule are the forwarder's own affair.
        const key = JSON.stringify({ ...rule, upstreams: [] });
        const zone = zoneOf(rule.zone);
        // The first of two for one zone holds, as for CoreDNS.
        if (next.has(zone)) continue;
        const made = before.get(key) ?? make(key, rule);
        before.delete(key);
        next.set(zone, made);
        made.forwarder.setUpstreams(choose(rule.upstreams));
      }
      rules = [...next.values()].sort((a, b) => b.zone.length - a.zone.length);
      for (const { forwarder } of before.values()) forwarder.retire();
    },
    checkLoops() {
      for (const { forwarder } of rules) forwarder.checkLoops();
    },
    cameBack: (name) => rules.some(({ forwarder }) => forwarder.cameBack(name)),
    stop() {
      for (const { forwarder } of rules) forwarder.stop();
    },
  };
}

/** The root is the empty name. */
function zoneOf(text: string): WireName {
  return text === "." ? "" : lowerName(nameFromText(text) ?? "");
}
