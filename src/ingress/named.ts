import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { parseKey } from "#api/meta/object.ts";
import type { KindTypes } from "#api/types.ts";
import type { Client } from "#client/contract.ts";
import { startInformer, type Informer } from "#client/informer.ts";

/** Follows exactly the objects that Ingresses name, one by one: no other Secret ever comes into this process. */
export interface NamedFollower {
  /** Follows these from now on and forgets all others. */
  follow(keys: ReadonlySet<string>): void;
  /** How many have not been loaded yet. */
  pending(): number;
  revisions(): string[];
  stop(): void;
}

export function createNamedFollower<K extends "Secret" | "ConfigMap">(options: {
  kind: K;
  client: Client;
  log: Log;
  clock: Clock;
  /** The object as it is now; `undefined` when there is none. */
  found: (key: string, object: KindTypes[K] | undefined) => void;
  forgotten: (key: string) => void;
}): NamedFollower {
  const { kind, client, log, clock, found, forgotten } = options;
  const followed = new Map<string, Informer<KindTypes[K]>>();

  function start(key: string): void {
    const { namespace, name } = parseKey(key);
    const scope = { ...(namespace === undefined ? {} : { namespace }), fieldSelector: `metadata.name=${name}` };
    const informer = startInformer(client, kind, { scope, log, clock });
    followed.set(key, informer);
    informer.onChange(({ after }) => found(key, after));
    void informer.synced.then(() => {
      if (followed.get(key) === informer && informer.get(key) === undefined) found(key, undefined);
    });
  }

  return {
    follow(keys) {
      for (const [key, informer] of followed) {
        if (keys.has(key)) continue;
        informer.stop();
        followed.delete(key);
        forgotten(key);
      }
      for (const key of keys) if (!followed.has(key)) start(key);
    },
    pending: () => [...followed.values()].filter((informer) => !informer.isSynced()).length,
    revisions: () => [...followed.values()].map((informer) => informer.revision()),
    stop() {
      for (const informer of followed.values()) informer.stop();
      followed.clear();
    },
  };
}
