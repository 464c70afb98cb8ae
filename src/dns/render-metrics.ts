import { durationBuckets, type DnsCounters } from "./metrics.ts";

const labels = 'server="dns://:53",zone=".",view=""';

/**
 * The counters as Prometheus text, under the names and labels that CoreDNS uses, so that its dashboards and alerts
 * read them (plugins metrics, cache, forward).
 */
export function renderDnsMetrics(counters: DnsCounters): string {
  const lines: string[] = [];
  const family = (name: string, type: "counter" | "gauge" | "histogram", help: string) =>
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);

  family("coredns_dns_requests_total", "counter", "Queries by protocol, address family and type.");
  for (const [key, value] of Object.entries(counters.requests)) {
    const [proto = "", ip = "", type = ""] = key.split(" ");
    lines.push(`coredns_dns_requests_total{${labels},proto="${proto}",family="${ip}",type="${type}"} ${value}`);
  }
  family("coredns_dns_responses_total", "counter", "Answers by response code.");
  for (const [rcode, value] of Object.entries(counters.responses))
    lines.push(`coredns_dns_responses_total{${labels},rcode="${rcode}",plugin=""} ${value}`);

  family("coredns_dns_request_duration_seconds", "histogram", "Seconds between query and answer.");
  const name = "coredns_dns_request_duration_seconds";
  let sum = 0;
  for (const [bucket, value] of counters.durations.entries()) {
    sum += value;
    lines.push(`${name}_bucket{${labels},le="${durationBuckets[bucket] ?? "+Inf"}"} ${sum}`);
  }
  lines.push(`${name}_sum{${labels}} ${counters.durationSum}`, `${name}_count{${labels}} ${sum}`);

  const cache = 'server="dns://:53",zones=".",view=""';
  family("coredns_cache_entries", "gauge", "Answers from outside that are kept.");
  lines.push(`coredns_cache_entries{${cache}} ${counters.cacheEntries}`);
  family("coredns_cache_hits_total", "counter", "Questions answered from what is kept.");
  for (const [type, value] of Object.entries(counters.cacheHits))
    lines.push(`coredns_cache_hits_total{${cache},type="${type}"} ${value}`);
  family("coredns_cache_misses_total", "counter", "Questions that had to be asked upstream.");
  lines.push(`coredns_cache_misses_total{${cache}} ${counters.cacheMisses}`);
  family("coredns_cache_served_stale_total", "counter", "Answers given after their time, as no upstream answered.");
  lines.push(`coredns_cache_served_stale_total{${cache}} ${counters.cacheStale ?? 0}`);
  family("coredns_cache_prefetch_total", "counter", "Answers asked for again before their end.");
  lines.push(`coredns_cache_prefetch_total{${cache}} ${counters.cachePrefetches ?? 0}`);

  family("coredns_forward_requests_total", "counter", "Questions sent to each upstream.");
  for (const [to, value] of Object.entries(counters.forwards))
    lines.push(`coredns_forward_requests_total{to="${to}"} ${value}`);
  family("coredns_proxy_healthcheck_failures_total", "counter", "Attempts that got no usable answer from an upstream.");
  for (const [to, value] of Object.entries(counters.forwardFailures))
    lines.push(`coredns_proxy_healthcheck_failures_total{proxy_name="forward",to="${to}"} ${value}`);
  family("coredns_forward_max_concurrent_rejects_total", "counter", "Questions refused because too many waited.");
  lines.push(`coredns_forward_max_concurrent_rejects_total ${counters.forwardRejects}`);
  family("fairlead_dns_dropped_total", "counter", "Packets that got no answer, by reason.");
  for (const [reason, value] of Object.entries(counters.dropped))
    lines.push(`fairlead_dns_dropped_total{reason="${reason}"} ${value}`);
  return `${lines.join("\n")}\n`;
}
