import type { KindDefinition } from "#api/kind.ts";
import type { KindName } from "#api/types.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { CompactedError, type Entry, type Page, type Store, type StoreEvent } from "#store/contract.ts";
import { createCache, type Cache } from "./cache.ts";
import { createItem, type Item } from "./item.ts";
import { parseStored, type Stored } from "./stored.ts";
import { storePrefix } from "./write.ts";

export interface Caches {
  readonly cache: (kind: KindName) => Cache;
  readonly revision: () => number;
  readonly onRevision: (listener: () => void) => () => void;
  readonly remember: (value: Uint8Array, stored: Stored) => void;
  stop(): void;
}

/** How far back the log is replayed at start, so that watches of clients that outlived a restart can resume. */
const replayRevisions = 2000;

/** Reads every kind as it was a little while ago and replays what happened since; then follows the store. */
export async function openCaches(options: {
  store: Store;
  definitions: readonly KindDefinition[];
  clock: Clock;
  log: Log;
}): Promise<Caches> {
  const { store, definitions, clock, log } = options;
  const parsed = new WeakMap<Uint8Array, Stored>();
  const page = await pastPage(store);
  const items = new Map<string, Item[]>();
  for (const entry of page.entries) {
    const plural = pluralOf(entry.key);
    const list = items.get(plural) ?? [];
    items.set(plural, list);
    list.push(itemOf(entry));
  }
  const caches = new Map<string, Cache>();
  const byKind = new Map<KindName, Cache>();
  for (const { resource } of definitions) {
    const cache = createCache(items.get(resource.plural) ?? [], page.revision, (error) => {
      log.error({ kind: resource.kind, error: String(error) }, "a watcher failed and was dropped");
    });
    caches.set(resource.plural, cache);
    byKind.set(resource.kind, cache);
  }
  let revision = page.revision;
  const listeners = new Set<() => void>();

  function itemOf(entry: Entry): Item {
    const { object, managers } = parsed.get(entry.value) ?? parseStored(entry.value);
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
      const after = event.entry === undefined ? undefined : itemOf(event.entry);
      const at = clock.monotonic();
      cache.apply({ key, revision, at, ...(before && { before }), ...(after && { after }) });
    }
    for (const listener of listeners) listener();
  }

  const target = await store.revision();
  const stop = await new Promise<() => void>((resolve) => {
    const stopWatch = store.watch(storePrefix, page.revision, {
      event(event) {
        apply(event);
        if (event.revision >= target) queueMicrotask(() => resolve(stopWatch));
      },
      end(reason, error) {
        if (reason !== "closed") log.error({ reason, error: String(error) }, "following the store failed");
      },
    });
    if (page.revision >= target) resolve(stopWatch);
  });

  return {
    cache(kind) {
      const found = byKind.get(kind);
      if (found === undefined) throw new Error(`the registry has no kind ${kind}`);
      return found;
    },
    revision: () => revision,
    onRevision(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    remember: (value, stored) => parsed.set(value, stored),
    stop,
  };
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

function pluralOf(key: string): string {
  return key.slice(storePrefix.length, key.indexOf("/", storePrefix.length));
}
