import type { Family } from "#base/cidr.ts";
import { renderHead, withLabels } from "#base/metric.ts";
import type { ServiceDiff } from "#routing/l4/table.ts";
import { familyNames } from "../families.ts";
import type { ProxyModeName } from "../mode.ts";
import { createHistogram, type Histogram } from "./instruments.ts";

/**
 * What the proxy of one node and family counts, under upstream's names (pkg/proxy/metrics/metrics.go). It outlives changes of the mode.
 */
export interface ProxyMetrics {
  /** The difference has been told, and waits. */
  changed(diff: ServiceDiff, now: number): void;
  /** An apply has ended well. `triggerTimes`: when what it put in force had happened, ms since the epoch. */
  applied(report: { now: number; ms: number; isFull: boolean; triggerTimes: readonly number[] }): void;
  failed(mode: ProxyModeName, isFull: boolean): void;
  answered(path: "healthz" | "livez", code: number): void;
  /** Text of the exposition format; `now` are values that only the moment of asking knows. */
  render(now: ProxyGauges): string;
  /** The same, each metric on its own. */
  sections(now: ProxyGauges): readonly Section[];
}

/** One metric: the lines that name it, and those of its values. */
type Section = readonly [head: string, values: string];

/** The metrics of several families as one text, in which each name stands once. */
export function renderFamilies(families: readonly (readonly Section[])[]): string {
  const values = new Map<string, string>();
  for (const [head, text] of families.flat()) values.set(head, (values.get(head) ?? "") + text);
  return [...values].map(([head, text]) => head + text).join("");
}

export interface ProxyGauges {
  readonly noLocalEndpoints: { readonly internal: number; readonly external: number };
}

const prefix = "kubeproxy_";
const syncBounds = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index);
const steps = (from: number, by: number, count: number) =>
  Array.from({ length: count }, (_, index) => from + by * index);
const programmingBounds = [0, 0.25, 0.5, ...steps(1, 1, 59), ...steps(60, 5, 12), ...steps(120, 30, 7)];

/** `startedAt`: ms since the epoch; changes from before are no measure of this process. */
export function createProxyMetrics(startedAt: number, ofFamily: Family = 4): ProxyMetrics {
  const family = `ip_family="${familyNames[ofFamily]}"`;
  const [all, full, partial] = [createHistogram(syncBounds), createHistogram(syncBounds), createHistogram(syncBounds)];
  const programming = createHistogram(programmingBounds);
  // Trigger times are whole seconds: what happened just after the start may bear the second of the start.
  const measuredFrom = Math.floor(startedAt / 1000) * 1000;
  const endpoints = { total: 0, pending: 0 };
  const services = { total: 0, pending: 0 };
  const failures = { nftables: 0, iptables: 0, iptablesPartial: 0 };
  const answers = { healthz: new Map<number, number>(), livez: new Map<number, number>() };
  let lastQueued = 0;
  let lastApplied = 0;

  function sections({ noLocalEndpoints }: ProxyGauges): readonly Section[] {
    const one = (name: string, type: "counter" | "gauge", help: string, value: number): Section => [
      renderHead(prefix + name, type, help),
      `${prefix}${name}${withLabels(family)} ${value}\n`,
    ];
    const many = (
      name: string,
      type: "counter" | "gauge",
      help: string,
      labelsOf: (key: string | number) => string,
      values: Iterable<readonly [string | number, number]>,
    ): Section => [
      renderHead(prefix + name, type, help),
      [...values].map(([key, value]) => `${prefix}${name}${withLabels(labelsOf(key))} ${value}\n`).join(""),
    ];
    const byCode = (code: string | number) => `code="${code}"`;
    const spread = (name: string, help: string, histogram: Histogram): Section => [
      renderHead(prefix + name, "histogram", help),
      histogram.render(prefix + name, family),
    ];
    return [
      spread("sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds", all),
      spread("sync_full_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for full resyncs", full),
      spread(
        "sync_partial_proxy_rules_duration_seconds",
        "SyncProxyRules latency in seconds for partial resyncs",
        partial,
      ),
      spread("network_programming_duration_seconds", "In Cluster Network Programming Latency in seconds", programming),
      one(
        "sync_proxy_rules_last_timestamp_seconds",
        "gauge",
        "The last time proxy rules were successfully synced",
        lastApplied,
      ),
      one(
        "sync_proxy_rules_last_queued_timestamp_seconds",
        "gauge",
        "The last time a sync of proxy rules was queued",
        lastQueued,
      ),
      one(
        "sync_proxy_rules_endpoint_changes_pending",
        "gauge",
        "Pending proxy rules Endpoint changes",
        endpoints.pending,
      ),
      one(
        "sync_proxy_rules_endpoint_changes_total",
        "counter",
        "Cumulative proxy rules Endpoint changes",
        endpoints.total,
      ),
      one("sync_proxy_rules_service_changes_pending", "gauge", "Pending proxy rules Service changes", services.pending),
      one(
        "sync_proxy_rules_service_changes_total",
        "counter",
        "Cumulative proxy rules Service changes",
        services.total,
      ),
      one(
        "sync_proxy_rules_nftables_sync_failures_total",
        "counter",
        "Cumulative proxy nftables sync failures",
        failures.nftables,
      ),
      one(
        "sync_proxy_rules_iptables_restore_failures_total",
        "counter",
        "Cumulative proxy iptables restore failures",
        failures.iptables,
      ),
      one(
        "sync_proxy_rules_iptables_partial_restore_failures_total",
        "counter",
        "Cumulative proxy iptables partial restore failures",
        failures.iptablesPartial,
      ),
      many(
        "sync_proxy_rules_no_local_endpoints_total",
        "gauge",
        "Number of services with a Local traffic policy and no endpoints on this node",
        (policy) => `${family},traffic_policy="${policy}"`,
        Object.entries(noLocalEndpoints),
      ),
      many("proxy_healthz_total", "counter", "Cumulative proxy healthz HTTP status", byCode, answers.healthz),
      many("proxy_livez_total", "counter", "Cumulative proxy livez HTTP status", byCode, answers.livez),
    ];
  }

  return {
    changed({ added, changed, removed }, now) {
      const moved = changed.filter(({ before, after }) => before.endpoints !== after.endpoints).length;
      for (const [counts, by] of [
        [services, added.length + removed.length + changed.length],
        [endpoints, moved + added.length],
      ] as const) {
        counts.total += by;
        counts.pending += by;
      }
      lastQueued = now / 1000;
    },
    applied({ now, ms, isFull, triggerTimes }) {
      for (const histogram of [all, isFull ? full : partial]) histogram.observe(ms / 1000);
      for (const time of triggerTimes) if (time >= measuredFrom) programming.observe(Math.max(0, now - time) / 1000);
      lastApplied = now / 1000;
      services.pending = 0;
      endpoints.pending = 0;
    },
    failed(mode, isFull) {
      if (mode === "nftables") failures.nftables += 1;
      else if (mode === "iptables" || mode === "ipvs") {
        failures.iptables += 1;
        if (!isFull) failures.iptablesPartial += 1;
      }
    },
    answered(path, code) {
      answers[path].set(code, (answers[path].get(code) ?? 0) + 1);
    },
    render: (now) => renderFamilies([sections(now)]),
    sections,
  };
}
