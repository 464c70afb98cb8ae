import {
  durationBuckets,
  programmingBuckets,
  sizeBuckets,
  type DnsCounters,
  type Histogram,
  type ProgrammingDurations,
} from "./metrics.ts";

const labels = 'server="dns://:53",zone=".",view=""';

/**
 * The counters as Prometheus text, under the names and labels that CoreDNS uses, so that its dashboards and alerts
 * read them (plugins metrics, cache, forward).
 */
export function renderDnsMetrics(counters: DnsCounters, programming?: ProgrammingDurations): string {
  const lines: string[] = [];
  const family = (name: string, type: "counter" | "gauge" | "histogram", help: string) =>
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);

  const single = (name: string, type: "counter" | "gauge", help: string, of: string, value: number) => {
    family(name, type, help);
    lines.push(`${name}${of === "" ? "" : `{${of}}`} ${value}`);
  };
  const histogram = (name: string, of: string, buckets: readonly number[], { counts, sum }: Histogram) => {
    let below = 0;
    for (const [bucket, value] of counts.entries()) {
      below += value;
      lines.push(`${name}_bucket{${of},le="${buckets[bucket] ?? "+Inf"}"} ${below}`);
    }
    lines.push(`${name}_sum{${of}} ${sum}`, `${name}_count{${of}} ${below}`);
  };

  family("coredns_dns_requests_total", "counter", "Queries by protocol, address family and type.");
  for (const [key, value] of Object.entries(counters.requests)) {
    const [proto = "", ip = "", type = ""] = key.split(" ");
    lines.push(`coredns_dns_requests_total{${labels},proto="${proto}",family="${ip}",type="${type}"} ${value}`);
  }
  family("coredns_dns_responses_total", "counter", "Answers by response code.");
  for (const [rcode, value] of Object.entries(counters.responses))
    lines.push(`coredns_dns_responses_total{${labels},rcode="${rcode}",plugin=""} ${value}`);

  single(
    "coredns_dns_do_requests_total",
    "counter",
    "Queries that ask for DNSSEC records.",
    labels,
    counters.doRequests,
  );
  family("coredns_dns_request_duration_seconds", "histogram", "Seconds between query and answer.");
  histogram("coredns_dns_request_duration_seconds", labels, durationBuckets, counters.durations);
  for (const [name, help, sizes] of [
    ["coredns_dns_request_size_bytes", "Bytes of queries.", counters.requestSizes],
    ["coredns_dns_response_size_bytes", "Bytes of answers.", counters.responseSizes],
  ] as const) {
    family(name, "histogram", help);
    for (const proto of ["udp", "tcp"] as const)
      histogram(name, `${labels},proto="${proto}"`, sizeBuckets, sizes[proto]);
  }
  single("coredns_panics_total", "counter", "Answers that failed by a fault of the server.", "", counters.panics);

  const cache = 'server="dns://:53",zones=".",view=""';
  const { cacheHits: hits } = counters;
  family("coredns_cache_entries", "gauge", "Answers from outside that are kept.");
  for (const [type, value] of Object.entries(counters.cacheEntries))
    lines.push(`coredns_cache_entries{${cache},type="${type}"} ${value}`);
  single("coredns_cache_evictions_total", "counter", "Answers that went to make room.", cache, counters.cacheEvictions);
  const looked = hits.success + hits.denial + counters.cacheMisses;
  single("coredns_cache_requests_total", "counter", "Questions that were looked for.", cache, looked);
  family("coredns_cache_hits_total", "counter", "Questions answered from what is kept.");
  for (const [type, value] of Object.entries(hits))
    lines.push(`coredns_cache_hits_total{${cache},type="${type}"} ${value}`);
  const misses = "Questions that had to be asked upstream.";
  single("coredns_cache_misses_total", "counter", misses, cache, counters.cacheMisses);
  const stale = "Answers given after their time, as no upstream answered.";
  single("coredns_cache_served_stale_total", "counter", stale, cache, counters.cacheStale);
  const prefetched = "Answers asked for again before their end.";
  single("coredns_cache_prefetch_total", "counter", prefetched, cache, counters.cachePrefetches);

  family("coredns_forward_requests_total", "counter", "Questions sent to each upstream.");
  for (const [to, value] of Object.entries(counters.forwards))
    lines.push(`coredns_forward_requests_total{to="${to}"} ${value}`);
  family("coredns_proxy_healthcheck_failures_total", "counter", "Attempts that got no usable answer from an upstream.");
  for (const [to, value] of Object.entries(counters.forwardFailures))
    lines.push(`coredns_proxy_healthcheck_failures_total{proxy_name="forward",to="${to}"} ${value}`);
  family("coredns_proxy_request_duration_seconds", "histogram", "Seconds until an upstream answered.");
  for (const [key, durations] of Object.entries(counters.forwardDurations)) {
    const [to = "", rcode = ""] = key.split(" ");
    const of = `proxy_name="forward",to="${to}",rcode="${rcode}"`;
    histogram("coredns_proxy_request_duration_seconds", of, durationBuckets, durations);
  }
  const broken = "Questions that found all upstreams down.";
  single("coredns_forward_healthcheck_broken_total", "counter", broken, "", counters.forwardBroken);
  const rejects = "Questions refused because too many waited.";
  single("coredns_forward_max_concurrent_rejects_total", "counter", rejects, "", counters.forwardRejects);
  const shown = "coredns_kubernetes_dns_programming_duration_seconds";
  family(shown, "histogram", "Seconds from a pod's change to the answer that shows it.");
  for (const [kind, durations] of Object.entries(programming ?? {}))
    histogram(shown, `service_kind="${kind}"`, programmingBuckets, durations as Histogram);
  family("fairlead_dns_dropped_total", "counter", "Packets that got no answer, by reason.");
  for (const [reason, value] of Object.entries(counters.dropped))
    lines.push(`fairlead_dns_dropped_total{reason="${reason}"} ${value}`);
  return `${lines.join("\n")}\n`;
}
