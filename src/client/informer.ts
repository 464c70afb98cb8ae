import { createBackoff } from "#base/backoff.ts";
import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import { keyOf } from "#api/meta/object.ts";
import type { KindName, KindTypes } from "#api/types.ts";
import type { Client, Scope, WatchEvent } from "./contract.ts";

/**
 * A copy of one kind's objects that follows the API by list and watch. What is read is never older than what a handler
 * was told. A lost watch is resumed; an expired one is listed anew, and the difference reaches the handlers as ordinary
 * changes, so a handler sees every object that exists and every one that went, whatever happened between.
 */
export interface Informer<T> {
  /** The object under `namespace/name` (or `name`). */
  get(key: string): T | undefined;
  list(): readonly T[];
  /** Objects that `index` gave this value; see `InformerOptions.indexes`. */
  by(index: string, value: string): readonly T[];
  /** Tells of each change from now on; what is already there is told at once as `added`. Returns how to stop it. */
  onChange(handler: ChangeHandler<T>): () => void;
  /** Resolves after the first full list has been told to the handlers. */
  readonly synced: Promise<void>;
  isSynced(): boolean;
  /** The revision up to which this copy is complete; `"0"` before the first list. */
  revision(): string;
  stop(): void;
}

export type Change<T> =
  | { readonly type: "added"; readonly after: T; readonly before?: undefined }
  | { readonly type: "changed"; readonly before: T; readonly after: T }
  | { readonly type: "removed"; readonly before: T; readonly after?: undefined };

export type ChangeHandler<T> = (change: Change<T>) => void;

export interface InformerOptions<T> {
  scope?: Scope;
  /** Named functions from an object to the values it is found under with `by`. */
  indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
  log?: Log;
  clock?: Clock;
}

export function startInformer<K extends KindName>(
  client: Client,
  kind: K,
  options: InformerOptions<KindTypes[K]> = {},
): Informer<KindTypes[K]> {
  type T = KindTypes[K];
  const { scope = {}, indexes = {}, log = silentLog, clock = systemClock } = options;
  const objects = new Map<string, T>();
  const indexed = new Map<string, Map<string, Map<string, T>>>();
  const handlers = new Set<ChangeHandler<T>>();
  const backoff = createBackoff({ base: 50, limit: 10_000 });
  let revision = "0";
  let stopped = false;
  let isSynced = false;
  let endWatch: (() => void) | undefined;
  let cancelRetry: (() => void) | undefined;
  let resolveSynced: () => void = () => {};
  const synced = new Promise<void>((resolve) => (resolveSynced = resolve));

  for (const name of Object.keys(indexes)) indexed.set(name, new Map());

  function reindex(key: string, before: T | undefined, after: T | undefined): void {
    for (const [name, valuesOf] of Object.entries(indexes)) {
      const byValue = indexed.get(name);
      if (byValue === undefined) continue;
      for (const value of before === undefined ? [] : valuesOf(before)) {
        const found = byValue.get(value);
        found?.delete(key);
        if (found?.size === 0) byValue.delete(value);
      }
      for (const value of after === undefined ? [] : valuesOf(after)) {
        const found = byValue.get(value);
        if (found === undefined) byValue.set(value, new Map([[key, after as T]]));
        else found.set(key, after as T);
      }
    }
  }

  function tell(change: Change<T>): void {
    for (const handler of handlers) handler(change);
  }

  function put(key: string, after: T): void {
    const before = objects.get(key);
    if (before !== undefined && before.metadata.resourceVersion === after.metadata.resourceVersion) return;
    objects.set(key, after);
    reindex(key, before, after);
    tell(before === undefined ? { type: "added", after } : { type: "changed", before, after });
  }

  function remove(key: string): void {
    const before = objects.get(key);
    if (before === undefined) return;
    objects.delete(key);
    reindex(key, before, undefined);
    tell({ type: "removed", before });
  }

  function retry(next: () => void): void {
    if (stopped) return;
    cancelRetry = clock.after(backoff.next(), next);
  }

  async function relist(): Promise<void> {
    try {
      const list = await client.list(kind, scope);
      if (stopped) return;
      const seen = new Set<string>();
      for (const item of list.items) {
        const key = keyOf(item);
        seen.add(key);
        put(key, item);
      }
      for (const key of objects.keys()) if (!seen.has(key)) remove(key);
      revision = list.resourceVersion;
      if (!isSynced) {
        isSynced = true;
        resolveSynced();
      }
      follow();
    } catch (error) {
      log.warn({ kind, error: String(error) }, "listing failed, trying again");
      retry(() => void relist());
    }
  }

  function event({ type, object }: WatchEvent<T>): void {
    if (stopped) return;
    backoff.reset();
    const key = keyOf(object);
    if (type === "DELETED") remove(key);
    else put(key, object);
    revision = object.metadata.resourceVersion ?? revision;
  }

  function follow(): void {
    endWatch = client.watch(
      kind,
      { ...scope, since: revision },
      {
        event,
        bookmark(resourceVersion) {
          revision = resourceVersion;
        },
        end(end) {
          endWatch = undefined;
          if (stopped) return;
          if (end.reason === "expired") void relist();
          else retry(follow);
        },
      },
    );
  }

  void relist();

  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    by: (index, value) => [...(indexed.get(index)?.get(value)?.values() ?? [])],
    onChange(handler) {
      handlers.add(handler);
      for (const after of objects.values()) handler({ type: "added", after });
      return () => handlers.delete(handler);
    },
    synced,
    isSynced: () => isSynced,
    revision: () => revision,
    stop() {
      stopped = true;
      endWatch?.();
      cancelRetry?.();
      handlers.clear();
    },
  };
}
