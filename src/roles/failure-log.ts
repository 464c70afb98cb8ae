import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { renderFailure, type FailureRecord } from "#dataplane/failures.ts";

const everyMs = 2_000;

/**
 * Writes each request that Ingress could not serve into the log, with its hops: which route, which backend, which
 * endpoint, and what went wrong. The data plane keeps the last ones only, so a flood of them does not become one here.
 * Returns how to stop it.
 */
export function startFailureLog(
  dataplane: { failures(): Promise<readonly FailureRecord[]> },
  { log, clock }: { log: Log; clock: Clock },
): () => void {
  let written = clock.now();
  let stopped = false;
  let cancel = clock.after(everyMs, () => void look());

  async function look(): Promise<void> {
    const records = await dataplane.failures().catch(() => []);
    if (stopped) return;
    const news = records.filter(({ at }) => at > written).sort((a, b) => a.at - b.at);
    for (const record of news) log.warn({ ...record }, renderFailure(record));
    written = news.at(-1)?.at ?? written;
    cancel = clock.after(everyMs, () => void look());
  }

  return () => {
    stopped = true;
    cancel();
  };
}
