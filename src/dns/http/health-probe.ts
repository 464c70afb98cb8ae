import type { Clock } from "#base/clock.ts";

/** Upper bounds in seconds, as CoreDNS's plugin health has them. */
const buckets = [0.00025, 0.0025, 0.025, 0.25, 2.5];

export interface HealthProbe {
  render(): string;
  stop(): void;
}

/**
 * Asks the health port of its own process each second and keeps how long that took: a process that is short of CPU is
 * seen here first. The counters have CoreDNS's names.
 */
export function startHealthProbe(ask: () => Promise<boolean>, clock: Clock): HealthProbe {
  const counts = Array.from({ length: buckets.length + 1 }, () => 0);
  let sum = 0;
  let failures = 0;
  let stopped = false;
  let cancel = clock.after(1_000, () => void probe());

  async function probe(): Promise<void> {
    const begun = clock.monotonic();
    const healthy = await ask();
    if (stopped) return;
    const seconds = (clock.monotonic() - begun) / 1000;
    const bucket = buckets.findIndex((bound) => seconds <= bound);
    const at = bucket === -1 ? buckets.length : bucket;
    counts[at] = (counts[at] ?? 0) + 1;
    sum += seconds;
    if (!healthy) failures += 1;
    cancel = clock.after(1_000, () => void probe());
  }

  return {
    render() {
      const name = "coredns_health_request_duration_seconds";
      let below = 0;
      const rows = counts.map((value, at) => `${name}_bucket{le="${buckets[at] ?? "+Inf"}"} ${(below += value)}`);
      const lines = [
        `# HELP ${name} Seconds that the health port took to answer.`,
        `# TYPE ${name} histogram`,
        ...rows,
        `${name}_sum ${sum}`,
        `${name}_count ${below}`,
        "# HELP coredns_health_request_failures_total Probes of the health port that got no answer.",
        "# TYPE coredns_health_request_failures_total counter",
        `coredns_health_request_failures_total ${failures}`,
      ];
      return `${lines.join("\n")}\n`;
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}
