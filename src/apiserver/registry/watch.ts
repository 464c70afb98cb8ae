import type { KindDefinition } from "#api/kind.ts";
import type { Cache } from "./cache.ts";
import { eventOf, type Change, type EventType, type Item } from "./item.ts";
import { compileSelector, type Selection } from "./select.ts";

export interface WatchQuery extends Selection {
  /** Changes after this revision; absent: what there is now, then changes. */
  readonly since?: number;
}

export interface WatchTarget {
  event(type: EventType, item: Item): void;
  /** Everything there was at the start has been told (only without `since`). */
  started?(revision: number): void;
  /** `since` is older than what is kept, or changes were missed. Nothing follows. */
  expired(): void;
}

/**
 * Follows one kind. Events come in revision order, each once; the first ones come after this function has returned.
 * The function returned ends the watch: no event follows it.
 */
export function watchItems(
  definition: KindDefinition,
  cache: Cache,
  revision: number,
  query: WatchQuery,
  target: WatchTarget,
): () => void {
  const { namespace, matches } = compileSelector(definition, query);
  const { since } = query;
  let ended = false;
  let stop = () => {};

  const tell = (change: Change) => {
    if (ended || (since !== undefined && change.revision <= since)) return;
    const event = eventOf(change, matches);
    if (event !== undefined) target.event(event.type, event.item);
  };

  // What is told first is read at once, so that nothing is missed between; later changes wait for their turn behind it.
  const missed = since === undefined ? [] : cache.changesAfter(since);
  const initial = since === undefined ? cache.items(namespace) : [];
  const waiting: Change[] = [];
  let isLost = missed === undefined;
  if (missed !== undefined) {
    stop = cache.watch(
      (change) => waiting.push(change),
      () => (isLost = true),
    );
  }

  queueMicrotask(() => {
    stop();
    if (ended) return;
    if (missed === undefined || isLost) {
      target.expired();
      return;
    }
    for (const item of initial) if (!ended && matches(item.object)) target.event("ADDED", item);
    if (since === undefined && !ended) target.started?.(revision);
    for (const change of missed) tell(change);
    for (const change of waiting) tell(change);
    if (!ended) stop = cache.watch(tell, () => target.expired());
  });
  return () => {
    ended = true;
    stop();
  };
}
