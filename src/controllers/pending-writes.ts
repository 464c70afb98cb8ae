import type { Clock } from "#base/clock.ts";
import { keyOf, type KubeObject } from "#api/meta/object.ts";
import type { Informer } from "#client/informer.ts";
import { hasSeen } from "./informers.ts";

/**
 * Which of a controller's own writes its informer has not shown yet. A controller that decides on a copy older than its
 * own last write would create a second pod for the first one's sake; so it asks `caughtUp` first and, if not, waits for
 * the change event that brings the key back. (What upstream's expectations do, without counting.)
 */
export interface PendingWrites {
  /** After a create or update for `owner` was answered with `object`. */
  wrote(owner: string, object: KubeObject): void;
  /** Before or after a delete of `object` for `owner`. */
  deleted(owner: string, object: KubeObject): void;
  /** A delete that failed after all. */
  undeleted(owner: string, object: KubeObject): void;
  caughtUp(owner: string): boolean;
  forget(owner: string): void;
  /** After this many milliseconds a write that never showed up is no longer waited for. */
  readonly expiryMs: number;
}

export function createPendingWrites(informer: Informer<KubeObject>, clock: Clock, expiryMs = 30_000): PendingWrites {
  const pending = new Map<
    string,
    { revision: string | undefined; deletes: Map<string, string | undefined>; at: number }
  >();

  function entryOf(owner: string) {
    const found = pending.get(owner) ?? { revision: undefined, deletes: new Map<string, string | undefined>(), at: 0 };
    found.at = clock.monotonic();
    pending.set(owner, found);
    return found;
  }

  const isGoing = (key: string, uid: string | undefined) => {
    const found = informer.get(key);
    return found === undefined || found.metadata.uid !== uid || found.metadata.deletionTimestamp !== undefined;
  };

  return {
    wrote(owner, { metadata: { resourceVersion } }) {
      const entry = entryOf(owner);
      if (Number(resourceVersion) > Number(entry.revision ?? 0)) entry.revision = resourceVersion;
    },
    deleted(owner, object) {
      entryOf(owner).deletes.set(keyOf(object), object.metadata.uid);
    },
    undeleted(owner, object) {
      pending.get(owner)?.deletes.delete(keyOf(object));
    },
    caughtUp(owner) {
      const entry = pending.get(owner);
      if (entry === undefined) return true;
      const expired = clock.monotonic() - entry.at >= expiryMs;
      const seen = hasSeen(informer, entry.revision) && [...entry.deletes].every(([key, uid]) => isGoing(key, uid));
      if (seen || expired) pending.delete(owner);
      return seen || expired;
    },
    forget: (owner) => pending.delete(owner),
    expiryMs,
  };
}
