import type { Change, Item } from "./item.ts";
import { expired } from "./errors.ts";

/** How long changes are kept for watches that resume and lists that continue; upstream keeps at least 75 s. */
export interface Retention {
  readonly ms: number;
  readonly count: number;
}

export const defaultRetention: Retention = { ms: 5 * 60_000, count: 10_000 };

/** All objects of one kind now, in key order, and their recent changes. */
export interface Cache {
  get(key: string): Item | undefined;
  size(): number;
  /** In key order; those of one namespace, when given. `at` is an older revision; throws `Expired` when it is gone. */
  items(namespace?: string, at?: number): readonly Item[];
  /** Changes after `since`, or `undefined` when they are no longer all kept. */
  changesAfter(since: number): readonly Change[] | undefined;
  /** Enters a change, then tells the watchers. */
  apply(change: Change): void;
  /** `lost` is called, and nothing after it, when changes were missed. The function returned ends it. */
  watch(watcher: (change: Change) => void, lost?: () => void): () => void;
  /** Everything anew, as it is at `revision`, because changes were missed. */
  reset(items: readonly Item[], revision: number): void;
  /** Drops what retention no longer wants. */
  prune(now: number): void;
}

/** `failed` is told what a watcher threw; that watcher gets no more. */
export function createCache(
  initial: readonly Item[],
  startRevision: number,
  failed: (error: unknown) => void,
  retention = defaultRetention,
): Cache {
  let byKey = new Map(initial.map((item) => [item.key, item]));
  // Side by side in key order: lists copy a stretch, and look nothing up.
  let keys = [...byKey.keys()].sort();
  let ordered = inOrder();
  // What was created since they were last read: many creates are put in their places at once.
  let fresh = new Map<string, Item>();
  // Copied on each change of the list, so that a watcher may come or go while a change is told.
  let watchers: readonly { tell: (change: Change) => void; lost: (() => void) | undefined }[] = [];
  let changes: Change[] = [];
  /** Changes up to here are not kept. */
  let floor = startRevision;

  const keyIndex = (key: string) => firstIndex(keys.length, (index) => (keys[index] as string) >= key);

  function inOrder(): Item[] {
    return keys.map((key) => byKey.get(key) as Item);
  }

  function settle(): void {
    if (fresh.size === 0) return;
    const added = [...fresh].sort(([a], [b]) => (a < b ? -1 : 1));
    const [oldKeys, oldItems] = [keys, ordered];
    keys = [];
    ordered = [];
    let from = 0;
    for (const [key, item] of added) {
      for (; from < oldKeys.length && (oldKeys[from] as string) < key; from += 1) {
        keys.push(oldKeys[from] as string);
        ordered.push(oldItems[from] as Item);
      }
      keys.push(key);
      ordered.push(item);
    }
    for (; from < oldKeys.length; from += 1) {
      keys.push(oldKeys[from] as string);
      ordered.push(oldItems[from] as Item);
    }
    fresh = new Map();
  }

  function current(namespace: string | undefined): Item[] {
    settle();
    // "0" is the character after "/".
    return namespace === undefined
      ? ordered.slice()
      : ordered.slice(keyIndex(`${namespace}/`), keyIndex(`${namespace}0`));
  }

  const indexAfter = (revision: number) =>
    firstIndex(changes.length, (index) => (changes[index] as Change).revision > revision);

  return {
    get: (key) => byKey.get(key),
    size: () => byKey.size,
    items(namespace, at) {
      const items = current(namespace);
      if (at === undefined) return items;
      if (at < floor) throw expired("The resourceVersion for the provided list is too old.");
      const undone = changes.slice(indexAfter(at));
      if (undone.length === 0) return items;
      const then = new Map(items.map((item) => [item.key, item]));
      for (const { key, before } of undone.reverse()) {
        if (before !== undefined) then.set(key, before);
        else then.delete(key);
      }
      const inside = (key: string) => namespace === undefined || key.startsWith(`${namespace}/`);
      return [...then.values()].filter(({ key }) => inside(key)).sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    changesAfter: (since) => (since < floor ? undefined : changes.slice(indexAfter(since))),
    apply(change) {
      const { key, after } = change;
      if (after === undefined) {
        if (byKey.delete(key) && !fresh.delete(key)) {
          const index = keyIndex(key);
          keys.splice(index, 1);
          ordered.splice(index, 1);
        }
      } else {
        if (!byKey.has(key) || fresh.has(key)) fresh.set(key, after);
        else ordered[keyIndex(key)] = after;
        byKey.set(key, after);
      }
      changes.push(change);
      for (const watcher of watchers) {
        try {
          watcher.tell(change);
        } catch (error) {
          // One watcher's fault must not keep the change from the others, nor the store from going on.
          watchers = watchers.filter((other) => other !== watcher);
          failed(error);
        }
      }
    },
    watch(tell, lost) {
      const watcher = { tell, lost };
      watchers = [...watchers, watcher];
      return () => {
        watchers = watchers.filter((other) => other !== watcher);
      };
    },
    reset(items, revision) {
      byKey = new Map(items.map((item) => [item.key, item]));
      keys = [...byKey.keys()].sort();
      ordered = inOrder();
      fresh = new Map();
      changes = [];
      floor = revision;
      const ended = watchers;
      watchers = [];
      for (const { lost } of ended) lost?.();
    },
    prune(now) {
      const byCount = changes.length - retention.count;
      const byAge = firstIndex(changes.length, (index) => (changes[index] as Change).at > now - retention.ms);
      // A hundred are kept however old they are, as upstream's cache does.
      const drop = Math.max(byCount, Math.min(byAge, changes.length - 100));
      if (drop <= 0) return;
      floor = (changes[drop - 1] as Change).revision;
      changes = changes.slice(drop);
    },
  };
}

/** The first index below `length` for which `holds` (which stays true once true), or `length`. */
export function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
