import type { KindDefinition } from "#api/kind.ts";
import type { KindName } from "#api/types.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { CompactedError, type Entry, type Page, type Store, type StoreEvent } from "#store/contract.ts";
import { StoreError } from "#store/error.ts";
import { createCache, type Cache } from "./cache.ts";
import { createItem, type Item } from "./item.ts";
import { parseStored, type Stored } from "./stored.ts";
import { claimsPlural, pluralOf, storePrefix } from "./keys.ts";

export interface Caches {
  readonly cache: (kind: KindName) => Cache;
  readonly claims: Cache;
  readonly revision: () => number;
  readonly onRevision: (listener: () => void) => () => void;
  readonly remember: (value: Uint8Array, stored: Stored) => void;
  stop(): void;
}

/** How far back the log is replayed at start, so that watches of clients that outlived a restart can resume. */
const replayRevisions = 2000;

/** How long until the store is read anew after that failed. */
const againMs = 1000;

/**
 * Reads every kind as it was a little while ago and replays what happened since; then follows the store. When changes
 * were missed (the store was out of reach for longer than its history), everything is read anew and all watches expire.
 */
export async function openCaches(options: {
  store: Store;
  definitions: readonly KindDefinition[];
  clock: Clock;
  log: Log;
}): Promise<Caches> {
  const { store, definitions, clock, log } = options;
  const parsed = new WeakMap<Uint8Array, Stored>();
  const page = await pastPage(store);
  const items = itemsOf(page);
  const caches = new Map<string, Cache>();
  const byKind = new Map<KindName, Cache>();
  const open = (plural: string, kind: string) => {
    const cache = createCache(items.get(plural) ?? [], page.revision, (error) => {
      log.error({ kind, error: String(error) }, "a watcher failed and was dropped");
    });
    caches.set(plural, cache);
    return cache;
  };
  for (const { resource } of definitions) byKind.set(resource.kind, open(resource.plural, resource.kind));
  const claims = open(claimsPlural, "Claim");
  let revision = page.revision;
  const listeners = new Set<() => void>();

  let stopWatch = () => {};
  let stopped = false;
  /** What a change that is no object of ours ends: only the start. Later one bad change must not stop the others. */
  let refuse: ((error: unknown) => void) | undefined;

  function itemsOf({ entries }: Page): Map<string, Item[]> {
    const items = new Map<string, Item[]>();
    for (const entry of entries) {
      const plural = pluralOf(entry.key);
      const list = items.get(plural) ?? [];
      items.set(plural, list);
      list.push(itemOf(entry));
    }
    return items;
  }

  function itemOf(entry: Entry): Item {
    const { object, managers } = parsed.get(entry.value) ?? parse(entry);
    const key = entry.key.slice(storePrefix.length + pluralOf(entry.key).length + 1);
    return createItem(key, object, entry.modRevision, managers);
  }

  function apply(event: StoreEvent): void {
    revision = event.revision;
    const plural = pluralOf(event.key);
    const cache = caches.get(plural);
    if (cache !== undefined) {
      const key = event.key.slice(storePrefix.length + plural.length + 1);
      const before = cache.get(key);
      const at = clock.monotonic();
      try {
        const after = event.entry === undefined ? undefined : itemOf(event.entry);
        cache.apply({ key, revision, at, ...(before && { before }), ...(after && { after }) });
      } catch (error) {
        refuse?.(error);
        log.error({ key: event.key, error: String(error) }, "a change that is no object of ours was passed over");
      }
    }
    for (const listener of listeners) listener();
  }

  function follow(since: number): void {
    stopWatch = store.watch(storePrefix, since, {
      event: apply,
      progress(reached) {
        if (reached <= revision) return;
        revision = reached;
        for (const listener of listeners) listener();
      },
      end(reason, error) {
        if (reason === "closed" || stopped) return;
        // What cannot be read at the start will not be read a second later either.
        if (reason === "failed" && refuse !== undefined) return refuse(error);
        log.error(
          { reason, error: String(error) },
          "changes of the store were missed: it is read anew, watches expire",
        );
        void readAnew();
      },
    });
  }

  async function readAnew(): Promise<void> {
    try {
      const now = await store.list({ prefix: storePrefix });
      if (stopped) return;
      const fresh = itemsOf(now);
      revision = now.revision;
      for (const [plural, cache] of caches) cache.reset(fresh.get(plural) ?? [], now.revision);
      follow(now.revision);
      for (const listener of listeners) listener();
    } catch (error) {
      log.error({ error: String(error) }, "the store cannot be read, next try in a second");
      if (!stopped) stopWatch = clock.after(againMs, () => void readAnew());
    }
  }

  const target = await store.revision();
  const caughtUp = new Promise<void>((resolve, reject) => {
    refuse = reject;
    const check = () => {
      // The other changes of this revision come in the same turn.
      if (revision >= target) queueMicrotask(resolve);
    };
    listeners.add(check);
    follow(page.revision);
    check();
  });
  try {
    await caughtUp;
  } catch (error) {
    stopWatch();
    throw error;
  }
  refuse = undefined;
  listeners.clear();

  return {
    cache(kind) {
      const found = byKind.get(kind);
      if (found === undefined) throw new Error(`the registry has no kind ${kind}`);
      return found;
    },
    claims,
    revision: () => revision,
    onRevision(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    remember: (value, stored) => parsed.set(value, stored),
    stop() {
      stopped = true;
      stopWatch();
    },
  };
}

/** Throws `StoreError` for what another API server has written, which keeps its objects in protobuf. */
function parse({ key, value }: Entry): Stored {
  try {
    return parseStored(value);
  } catch (error) {
    const text = `${key} in the store is not an object of Fairlead's: name a store that no other API server uses`;
    throw new StoreError("foreign", text, error);
  }
}

async function pastPage(store: Store): Promise<Page> {
  const now = await store.revision();
  try {
    return await store.list({ prefix: storePrefix, atRevision: Math.max(0, now - replayRevisions) });
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    return store.list({ prefix: storePrefix, atRevision: error.oldest });
  }
}
