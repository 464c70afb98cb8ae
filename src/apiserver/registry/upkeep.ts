import type { KindDefinition } from "#api/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { commit, type WriteBase } from "./write.ts";

const everyMs = 60_000;
/** Events live this long after their last write; upstream's `--event-ttl`. */
const eventTtlMs = 3_600_000;
/** How often the store forgets what is older than the time before; upstream's `--etcd-compaction-interval`. */
const compactEveryMs = 5 * 60_000;

/**
 * Once a minute: old changes leave the caches, and old Events the store. Every five minutes the store's history is
 * compacted to where it was five minutes before, so that a watch can resume for as long as that at least. Several servers
 * of one store do it side by side: what one finds done is done.
 */
export function startUpkeep(options: {
  base: WriteBase;
  definitions: readonly KindDefinition[];
  revision: () => number;
  clock: Clock;
  log: Log;
}): () => void {
  const { base, definitions, revision, clock, log } = options;
  let before = revision();
  let cancelCompaction = clock.after(compactEveryMs, compact);
  let cancel = clock.after(everyMs, turn);

  function compact(): void {
    cancelCompaction = clock.after(compactEveryMs, compact);
    const compactTo = before;
    before = revision();
    base.store
      .compact(compactTo)
      .catch((error: unknown) =>
        log.warn({ error: String(error) }, "compacting the store failed, next try in five minutes"),
      );
  }

  function turn(): void {
    cancel = clock.after(everyMs, turn);
    for (const { resource } of definitions) base.cache(resource.kind).prune(clock.monotonic());
    base.claims.prune(clock.monotonic());
    removeOldEvents().catch((error: unknown) =>
      log.warn({ error: String(error) }, "old Events could not be removed, next try in a minute"),
    );
  }

  async function removeOldEvents(): Promise<void> {
    const events = definitions.find(({ resource }) => resource.kind === "Event");
    if (events === undefined) return;
    const old = base
      .cache("Event")
      .items()
      .filter(({ object }) => lastWrite(object) < clock.now() - eventTtlMs);
    await Promise.all(
      old.map(({ key, object, managers, revision }) => {
        return commit(base, events, key, { delete: object, managers }, revision);
      }),
    );
  }

  return () => {
    cancel();
    cancelCompaction();
  };
}

function lastWrite(object: KubeObject): number {
  const { lastTimestamp, eventTime, series } = object as KubeObject & {
    lastTimestamp?: string;
    eventTime?: string;
    series?: { lastObservedTime?: string };
  };
  const times = [object.metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime];
  return Math.max(0, ...times.map((time) => Date.parse(time ?? "")).filter((time) => !Number.isNaN(time)));
}
