/** What the server counted, as plain values that pass between threads. Keys are label values joined by a space. */
export interface DnsCounters {
  /** `proto family type` -> queries. */
  readonly requests: Record<string, number>;
  /** RCODE name -> answers. */
  readonly responses: Record<string, number>;
  /** Packets that got no answer at all, by reason. */
  readonly dropped: Record<string, number>;
  readonly cacheHits: { success: number; denial: number };
  cacheMisses: number;
  cacheEntries: number;
  /** Answers given after their time because no upstream answered, and answers asked for again before their end. */
  cacheStale?: number;
  cachePrefetches?: number;
  /** `address:port` -> queries sent there. */
  readonly forwards: Record<string, number>;
  /** `address:port` -> attempts that got no usable answer. */
  readonly forwardFailures: Record<string, number>;
  forwardRejects: number;
  /** Seconds between query and answer: how many fell into each bucket of `durationBuckets`, the last one open. */
  readonly durations: number[];
  durationSum: number;
}

/** Upper bounds in seconds: 0.00025 * 2^k for k = 0..15, as CoreDNS has them. */
export const durationBuckets: readonly number[] = Array.from({ length: 16 }, (_, k) => 0.00025 * 2 ** k);

export function createCounters(): DnsCounters {
  return {
    requests: {},
    responses: {},
    dropped: {},
    cacheHits: { success: 0, denial: 0 },
    cacheMisses: 0,
    cacheEntries: 0,
    forwards: {},
    forwardFailures: {},
    forwardRejects: 0,
    durations: Array.from({ length: durationBuckets.length + 1 }, () => 0),
    durationSum: 0,
  };
}

export function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

export function observe(counters: DnsCounters, seconds: number): void {
  let bucket = 0;
  while (bucket < durationBuckets.length && seconds > (durationBuckets[bucket] as number)) bucket += 1;
  counters.durations[bucket] = (counters.durations[bucket] ?? 0) + 1;
  counters.durationSum += seconds;
}

/** The counts of several workers together. */
export function sumCounters(all: readonly DnsCounters[]): DnsCounters {
  const sum = createCounters();
  for (const one of all) {
    for (const field of ["requests", "responses", "dropped", "forwards", "forwardFailures"] as const)
      for (const [key, value] of Object.entries(one[field])) sum[field][key] = (sum[field][key] ?? 0) + value;
    sum.cacheHits.success += one.cacheHits.success;
    sum.cacheHits.denial += one.cacheHits.denial;
    sum.cacheMisses += one.cacheMisses;
    sum.cacheEntries += one.cacheEntries;
    sum.cacheStale = (sum.cacheStale ?? 0) + (one.cacheStale ?? 0);
    sum.cachePrefetches = (sum.cachePrefetches ?? 0) + (one.cachePrefetches ?? 0);
    sum.forwardRejects += one.forwardRejects;
    for (const [bucket, value] of one.durations.entries()) sum.durations[bucket] = (sum.durations[bucket] ?? 0) + value;
    sum.durationSum += one.durationSum;
  }
  return sum;
}
