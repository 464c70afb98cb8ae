import { rfc3339, type Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Client } from "#client/contract.ts";

/** Tells in Events what happens to pods; never fails, and never holds anything up. */
export interface EventRecorder {
  record(pod: Pod, type: "Normal" | "Warning", reason: string, message: string, container?: string): void;
}

/** Repeated events are counted on one object; each of these is written at most this often. */
const quietMs = 10_000;
const rememberedLimit = 2_000;

export function createEventRecorder(options: { client: Client; node: string; clock: Clock; log: Log }): EventRecorder {
  const { client, node, clock, log } = options;
  const known = new Map<string, { name: string; count: number; first: string; writtenAt: number }>();

  async function write(pod: Pod, type: "Normal" | "Warning", reason: string, message: string, container?: string) {
    const { name: podName, namespace = "default", uid = "" } = pod.metadata;
    const key = [uid, container, reason, message].join("\0");
    const now = clock.now();
    const time = rfc3339(now);
    const before = known.get(key);
    if (before !== undefined) {
      before.count += 1;
      if (now - before.writtenAt < quietMs) return;
      before.writtenAt = now;
      await client.patch("Event", { namespace, name: before.name }, { count: before.count, lastTimestamp: time });
      return;
    }
    if (known.size >= rememberedLimit) known.clear();
    const name = `${podName.slice(0, 230)}.${now.toString(16)}${Math.floor(Math.random() * 65_536).toString(16)}`;
    known.set(key, { name, count: 1, first: time, writtenAt: now });
    const fieldPath = container === undefined ? {} : { fieldPath: `spec.containers{${container}}` };
    await client.create("Event", {
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: "v1",
        kind: "Pod",
        namespace,
        name: podName,
        uid,
        resourceVersion: pod.metadata.resourceVersion,
        ...fieldPath,
      },
      reason,
      message: message.slice(0, 1024),
      type,
      source: { component: "kubelet", host: node },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      reportingComponent: "kubelet",
      reportingInstance: node,
    });
  }

  return {
    record(...args) {
      write(...args).catch((error: unknown) => log.debug({ error: String(error) }, "an event could not be written"));
    },
  };
}
