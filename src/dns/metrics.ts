/** What the server counted, as plain values that pass between threads. Keys are label values joined by a space. */
export interface DnsCounters {
  /** `proto family type` -> queries. */
  readonly requests: Record<string, number>;
  /** RCODE name -> answers. */
  readonly responses: Record<string, number>;
  /** Queries that ask for DNSSEC records. */
  doRequests: number;
  /** Bytes of queries and answers by transport. */
  readonly requestSizes: SizesByTransport;
  readonly responseSizes: SizesByTransport;
  /** Answers that failed by a fault of this program. */
  panics: number;
  /** Packets that got no answer at all, by reason. */
  readonly dropped: Record<string, number>;
  readonly cacheHits: { success: number; denial: number };
  cacheMisses: number;
  /** Answers that are kept now, and those that went to make room. */
  readonly cacheEntries: { success: number; denial: number };
  cacheEvictions: number;
  /** Answers given after their time because no upstream answered, and answers asked for again before their end. */
  cacheStale: number;
  cachePrefetches: number;
  /** `address:port` -> queries sent there. */
  readonly forwards: Record<string, number>;
  /** `address:port` -> attempts that got no usable answer. */
  readonly forwardFailures: Record<string, number>;
  /** `address:port RCODE` -> how long its answers took. */
  readonly forwardDurations: Record<string, Histogram>;
  /** Questions that found all upstreams down. */
  forwardBroken: number;
  forwardRejects: number;
  /** Seconds between query and answer. */
  readonly durations: Histogram;
}

/** Seconds from a pod's change to the answer that shows it, by the kind of its Service. */
export interface ProgrammingDurations {
  readonly cluster_ip: Histogram;
  readonly headless_with_selector: Histogram;
  readonly headless_without_selector: Histogram;
}

/** How many values fell into each bucket, the last one open, and all of them together. */
export interface Histogram {
  readonly counts: number[];
  sum: number;
}

export interface SizesByTransport {
  readonly udp: Histogram;
  readonly tcp: Histogram;
}

/** Upper bounds in seconds: 0.00025 * 2^k for k = 0..15, as CoreDNS has them. */
export const durationBuckets: readonly number[] = Array.from({ length: 16 }, (_, k) => 0.00025 * 2 ** k);

/** Upper bounds in seconds: 0.001 * 2^k for k = 0..19, as CoreDNS has them. */
export const programmingBuckets: readonly number[] = Array.from({ length: 20 }, (_, k) => 0.001 * 2 ** k);

/** Upper bounds in bytes, as CoreDNS has them. */
export const sizeBuckets: readonly number[] = [
  0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000,
];

export function createCounters(): DnsCounters {
  const sizes = () => ({ udp: createHistogram(sizeBuckets), tcp: createHistogram(sizeBuckets) });
  return {
    requests: {},
    responses: {},
    doRequests: 0,
    requestSizes: sizes(),
    responseSizes: sizes(),
    panics: 0,
    dropped: {},
    cacheHits: { success: 0, denial: 0 },
    cacheMisses: 0,
    cacheEntries: { success: 0, denial: 0 },
    cacheEvictions: 0,
    cacheStale: 0,
    cachePrefetches: 0,
    forwards: {},
    forwardFailures: {},
    forwardDurations: {},
    forwardBroken: 0,
    forwardRejects: 0,
    durations: createHistogram(durationBuckets),
  };
}

export function createHistogram(buckets: readonly number[]): Histogram {
  return { counts: Array.from({ length: buckets.length + 1 }, () => 0), sum: 0 };
}

export function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

export function observe(histogram: Histogram, buckets: readonly number[], value: number): void {
  let bucket = 0;
  while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket += 1;
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.sum += value;
}

/** The counts of several workers together. */
export function sumCounters(all: readonly DnsCounters[]): DnsCounters {
  const sum = createCounters();
  for (const one of all) {
    for (const field of ["requests", "responses", "dropped", "forwards", "forwardFailures"] as const)
      for (const [key, value] of Object.entries(one[field])) sum[field][key] = (sum[field][key] ?? 0) + value;
    for (const field of ["cacheHits", "cacheEntries"] as const)
      for (const kind of ["success", "denial"] as const) sum[field][kind] += one[field][kind];
    for (const field of [
      "doRequests",
      "panics",
      "cacheMisses",
      "cacheEvictions",
      "forwardBroken",
      "forwardRejects",
    ] as const)
      sum[field] += one[field];
    addHistogram(sum.durations, one.durations);
    for (const field of ["requestSizes", "responseSizes"] as const)
      for (const transport of ["udp", "tcp"] as const) addHistogram(sum[field][transport], one[field][transport]);
    for (const [key, histogram] of Object.entries(one.forwardDurations))
      addHistogram((sum.forwardDurations[key] ??= createHistogram(durationBuckets)), histogram);
  }
  return sum;
}

function addHistogram(to: Histogram, { counts, sum }: Histogram): void {
  for (const [bucket, value] of counts.entries()) to.counts[bucket] = (to.counts[bucket] ?? 0) + value;
  to.sum += sum;
}
