import type { KindDefinition } from "#api/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { commit, type WriteBase } from "./write.ts";

const everyMs = 60_000;
/** Events live this long after their last write; upstream's `--event-ttl`. */
const eventTtlMs = 3_600_000;
/** The store's log keeps 5 minutes of history, as etcd does under an API server. */
const keepMinutes = 5;

/** Once a minute: old changes leave the caches, old Events the store, and the store's log is compacted. */
export function startUpkeep(options: {
  base: WriteBase;
  definitions: readonly KindDefinition[];
  revision: () => number;
  clock: Clock;
  log: Log;
}): () => void {
  const { base, definitions, revision, clock, log } = options;
  const minutes: number[] = [];
  let cancel = clock.after(everyMs, turn);

  function turn(): void {
    cancel = clock.after(everyMs, turn);
    for (const { resource } of definitions) base.cache(resource.kind).prune(clock.monotonic());
    minutes.push(revision());
    const compactTo = minutes.length > keepMinutes ? minutes.shift() : undefined;
    work(compactTo).catch((error: unknown) =>
      log.warn({ error: String(error) }, "upkeep of the store failed, next try in a minute"),
    );
  }

  async function work(compactTo: number | undefined): Promise<void> {
    if (compactTo !== undefined) await base.store.compact(compactTo);
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

  return () => cancel();
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
