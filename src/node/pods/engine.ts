import { createWorkqueue } from "#base/workqueue.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Informer } from "#client/informer.ts";
import type { PodDeps } from "./deps.ts";
import { podFolderOf } from "./launch.ts";
import { removePodFolder } from "./volume-release.ts";
import { createPodWorker, type PodWorker } from "./worker.ts";

/** The pods of one node, followed and run. */
export interface PodEngine {
  /** Resolves when all pods of this node are known, and those of an earlier agent that nobody asks for are gone. */
  readonly settled: Promise<void>;
  /** Whether this engine runs the pod, or still has something of it to remove. */
  has(uid: string): boolean;
  /** The worker of a pod by `namespace/name`. */
  find(key: string): PodWorker | undefined;
  /** Objects of these kinds in this namespace have changed: pods may refer to them. */
  objectsChanged(namespace: string): void;
  /** Lets go of all pods; they run on. */
  stop(): Promise<void>;
}

/** Turns of different pods overlap freely; what is heavy in them goes through the shared lanes. */
const sideBySide = 256;

export function startPodEngine(deps: PodDeps, pods: Informer<Pod>): PodEngine {
  const { runtime, clock, log } = deps;
  const workers = new Map<string, PodWorker>();
  const timers = new Map<string, () => void>();

  const queue = createWorkqueue({
    clock,
    concurrency: sideBySide,
    work: async (uid) => {
      const worker = workers.get(uid);
      if (worker === undefined) return;
      timers.get(uid)?.();
      timers.delete(uid);
      // A container must see the objects its pod names, as they were before it. One that is to end waits for nothing.
      if (worker.pod().metadata.deletionTimestamp === undefined) await deps.objects.known(worker.pod());
      const again = await worker.sync();
      if (worker.isGone()) workers.delete(uid);
      else if (again === 0) queue.add(uid);
      else if (again !== undefined)
        timers.set(
          uid,
          clock.after(again, () => queue.add(uid)),
        );
    },
    failed: (uid, error, retryInMs) => {
      const pod = workers.get(uid)?.pod();
      const name = `${pod?.metadata.namespace}/${pod?.metadata.name}`;
      log.warn({ pod: name, error: String(error), retryInMs }, "a pod could not be brought forward");
      if (pod !== undefined) deps.events.record(pod, "Warning", "FailedSync", String(error));
    },
  });

  const stopExits = runtime.onExit(({ id, sandboxId }) => {
    const uid = runtime.listSandboxes().find((sandbox) => sandbox.id === sandboxId)?.config.uid;
    workers.get(uid ?? "")?.containerEnded(id);
  });

  const stopPods = pods.onChange(({ type, before, after }) => {
    const uid = (after ?? before).metadata.uid ?? "";
    if (type === "removed") workers.get(uid)?.vanish();
    else {
      // The same name can come back as another pod between two looks.
      if (before !== undefined && before.metadata.uid !== uid) workers.get(before.metadata.uid ?? "")?.vanish();
      if (before !== undefined && before.metadata.uid !== uid) queue.add(before.metadata.uid ?? "");
      const known = workers.get(uid);
      if (known === undefined)
        workers.set(
          uid,
          createPodWorker(deps, after, () => queue.add(uid)),
        );
      else known.update(after);
    }
    queue.add(uid);
  });

  const settled = pods.synced
    .then(removeOrphans)
    .catch((error: unknown) => log.warn({ error: String(error) }, "pods that nobody knows were not removed"));

  /** What an earlier agent ran and nobody asks for any more. */
  async function removeOrphans(): Promise<void> {
    for (const { id, config } of runtime.listSandboxes()) {
      if (workers.has(config.uid)) continue;
      await runtime.removePodSandbox(id);
      await removePodFolder(podFolderOf(deps, config.uid));
    }
  }

  return {
    settled,
    has: (uid) => workers.has(uid),
    find: (key) => {
      const matches = [...workers.values()].filter(({ pod }) => {
        const { namespace, name } = pod().metadata;
        return `${namespace}/${name}` === key;
      });
      return matches.find(({ pod }) => pod().metadata.deletionTimestamp === undefined) ?? matches[0];
    },
    objectsChanged(namespace) {
      for (const worker of workers.values()) {
        if (worker.pod().metadata.namespace !== namespace) continue;
        worker.refresh();
        queue.add(worker.uid);
      }
    },
    async stop() {
      stopPods();
      stopExits();
      for (const cancel of timers.values()) cancel();
      for (const worker of workers.values()) worker.detach();
      // Turns that wait for a pod to end are left behind: the next agent takes over from the same point.
      void queue.stop();
      await Promise.resolve();
    },
  };
}
