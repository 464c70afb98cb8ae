import { rfc3339, type Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "./contract.ts";

/** Writes Events about objects; what `kubectl describe` shows below an object. */
export interface EventRecorder {
  normal(about: KubeObject, reason: string, message: string): void;
  warning(about: KubeObject, reason: string, message: string): void;
  /** Resolves when everything recorded so far has been written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  clock: Clock;
  log: Log;
  /** The node an Event comes from, for parts that run on nodes. */
  host?: string;
}

/** How many distinct Events are remembered for counting repeats (client-go's `maxLruCacheEntries`). */
const remembered = 4096;
/** Repeats within this time raise `count` of the same Event; later ones start a new Event (client-go's correlator). */
const sameEventMs = 600_000;

interface Known {
  readonly key: { namespace: string; name: string };
  count: number;
  last: number;
}

/**
 * A recorder that never blocks and never throws: a repeated Event raises the count of the first one instead of adding
 * an object, and writes of one recorder happen in order. An Event about a cluster-wide object is kept in `default`, as
 * upstream does.
 */
export function createEventRecorder(client: Client, component: string, options: EventRecorderOptions): EventRecorder {
  const { clock, log, host } = options;
  const known = new Map<string, Known>();
  let sequence = 0;
  let tail: Promise<void> = Promise.resolve();

  function remember(identity: string, entry: Known): void {
    known.delete(identity);
    known.set(identity, entry);
    const [oldest] = known.keys();
    if (known.size > remembered && oldest !== undefined) known.delete(oldest);
  }

  async function create(
    identity: string,
    about: KubeObject,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
  ) {
    const now = clock.now();
    const namespace = about.metadata.namespace ?? "default";
    sequence += 1;
    const name = `${about.metadata.name.slice(0, 220)}.${(BigInt(now) * 1_000_000n + BigInt(sequence)).toString(16)}`;
    const at = rfc3339(now);
    await client.create("Event", {
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name: about.metadata.name,
        ...(about.metadata.namespace !== undefined && { namespace: about.metadata.namespace }),
        ...(about.metadata.uid !== undefined && { uid: about.metadata.uid }),
        ...(about.metadata.resourceVersion !== undefined && { resourceVersion: about.metadata.resourceVersion }),
      },
      reason,
      message,
      type,
      source: { component, ...(host !== undefined && { host }) },
      firstTimestamp: at,
      lastTimestamp: at,
      eventTime: null,
      count: 1,
      reportingComponent: component,
      reportingInstance: host ?? "",
    });
    remember(identity, { key: { namespace, name }, count: 1, last: now });
  }

  async function write(about: KubeObject, type: "Normal" | "Warning", reason: string, message: string): Promise<void> {
    const { metadata } = about;
    const identity = [about.kind, metadata.namespace, metadata.name, metadata.uid, type, reason, message].join("\0");
    const before = known.get(identity);
    if (before !== undefined && clock.now() - before.last < sameEventMs) {
      const count = before.count + 1;
      try {
        await client.patch("Event", before.key, { count, lastTimestamp: rfc3339(clock.now()) });
        remember(identity, { ...before, count, last: clock.now() });
        return;
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
      }
    }
    await create(identity, about, type, reason, message);
  }

  function record(about: KubeObject, type: "Normal" | "Warning", reason: string, message: string): void {
    tail = tail
      .then(() => write(about, type, reason, message.slice(0, 1024)))
      .catch((error: unknown) => {
        // A namespace that is going away takes no new Events; that is not worth a warning.
        const { name, namespace } = about.metadata;
        log.debug({ kind: about.kind, namespace, name, reason, error: String(error) }, "an Event was not written");
      });
  }

  return {
    normal: (about, reason, message) => record(about, "Normal", reason, message),
    warning: (about, reason, message) => record(about, "Warning", reason, message),
    flush: () => tail,
  };
}
