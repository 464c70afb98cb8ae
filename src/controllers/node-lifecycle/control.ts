import { isDeepStrictEqual } from "node:util";
import { rfc3339 } from "#base/clock.ts";
import { findCondition, withCondition, type Condition } from "#api/meta/condition.ts";
import { keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Node } from "#api/core/node/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { createLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { tolerationSeconds } from "../pods/toleration.ts";
import { createHeartbeats } from "./heartbeat.ts";
import { compileTaints } from "./taints.ts";

const leaseNamespace = "kube-node-lease";
/** How long a node may be gone before its pods are removed; an agent that registers anew takes less. */
const removedNodeMs = 2000;
const kubeletConditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/**
 * Tells from the heartbeats whether nodes live, taints those that do not, moves pods off them when their tolerations
 * end, and removes the pods of nodes that are gone.
 */
export function startNodeLifecycle(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.recorder("node-controller");
  const nodes = informers.of("Node");
  const pods = informers.of("Pod");
  const leases = informers.of("Lease");
  const heartbeats = createHeartbeats(clock);

  async function reconcileNode(name: string): Promise<void> {
    const node = nodes.get(name);
    if (node === undefined) return heartbeats.forget(name);
    const silentIn = heartbeats.silentIn(name);
    const ready = findCondition(node.status?.conditions, "Ready");
    if (silentIn > 0) queue.addAfter(name, silentIn);
    else if (ready !== undefined && ready.status !== "Unknown") return markUnknown(node);
    const taints = compileTaints(node, rfc3339(clock.now()));
    if (!isDeepStrictEqual(taints, node.spec?.taints ?? [])) {
      const { resourceVersion } = node.metadata;
      const spec = { taints: taints.length === 0 ? null : taints };
      await client.patch("Node", node.metadata, { metadata: { resourceVersion }, spec });
    }
  }

  async function markUnknown(node: Node): Promise<void> {
    const now = rfc3339(clock.now());
    let conditions = node.status?.conditions ?? [];
    for (const type of kubeletConditions) {
      const before = findCondition(conditions, type);
      if (before === undefined) continue;
      const reason = "NodeStatusUnknown";
      const message = "Kubelet stopped posting node status.";
      const unknown: Condition = { ...before, status: "Unknown", reason, message };
      conditions = withCondition(conditions, unknown, now);
    }
    const { resourceVersion, name } = node.metadata;
    const patch = { metadata: { resourceVersion }, status: { conditions } };
    await client.patch("Node", node.metadata, patch, { subresource: "status" });
    events.normal(node, "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
  }

  async function reconcilePod(key: string): Promise<void> {
    const pod = pods.get(key);
    const nodeName = pod?.spec.nodeName;
    if (pod === undefined || !nodeName) return;
    const node = nodes.get(nodeName);
    if (node === undefined) return removeOrphan(key, pod);
    if (pod.metadata.deletionTimestamp !== undefined) return;
    const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
    const seconds = taints.length === 0 ? undefined : tolerationSeconds(pod, taints);
    if (seconds === undefined) return;
    const since = Math.min(...taints.map(({ timeAdded }) => Date.parse(timeAdded ?? "") || clock.now()));
    const left = since + seconds * 1000 - clock.now();
    if (left > 0) return evictions.addAfter(key, left);
    events.normal(pod, "TaintManagerEviction", `Marking for deletion Pod ${key}`);
    await deletePod(pod);
  }

  /** The first look at a pod without node only starts the wait; the second one, after it, removes the pod. */
  async function removeOrphan(key: string, pod: Pod): Promise<void> {
    const seen = orphans.get(key);
    if (seen?.uid !== pod.metadata.uid) orphans.set(key, { uid: pod.metadata.uid, since: clock.monotonic() });
    const left = (orphans.get(key)?.since ?? 0) + removedNodeMs - clock.monotonic();
    if (left > 0) return evictions.addAfter(key, left);
    orphans.delete(key);
    await deletePod(pod, 0);
  }

  async function deletePod(pod: Pod, gracePeriodSeconds?: number): Promise<void> {
    const { uid } = pod.metadata;
    try {
      await client.delete("Pod", pod.metadata, {
        ...(uid !== undefined && { preconditions: { uid } }),
        ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  const orphans = new Map<string, { uid: string | undefined; since: number }>();
  const queue = createLoop(context, { name: "node-lifecycle", reconcile: reconcileNode });
  const evictions = createLoop(context, { name: "pod-eviction", reconcile: reconcilePod });

  const unsubscribe = [
    nodes.onChange(({ before, after }) => {
      const { name } = (after ?? before).metadata;
      // A node that posts its status lives, with or without a Lease.
      if (after !== undefined && heartbeatOf(before) !== heartbeatOf(after)) heartbeats.heard(name);
      queue.add(name);
      const same = before && after && isDeepStrictEqual(before.spec?.taints, after.spec?.taints);
      if (!same) for (const pod of pods.by("node", name)) evictions.add(keyOf(pod));
    }),
    leases.onChange(({ type, before, after }) => {
      const { namespace, name } = (after ?? before).metadata;
      if (namespace !== leaseNamespace || type === "removed") return;
      heartbeats.heard(name);
    }),
    pods.onChange(({ before, after }) => {
      if (after === undefined) orphans.delete(keyOf(before));
      else if (after.spec.nodeName && after.spec.nodeName !== before?.spec.nodeName) evictions.add(keyOf(after));
    }),
  ];
  return {
    async idle() {
      await Promise.all([queue.idle(), evictions.idle()]);
    },
    async stop() {
      for (const off of unsubscribe) off();
      await Promise.all([queue.stop(), evictions.stop()]);
    },
  };
}

function heartbeatOf(node: Node | undefined): string | undefined {
  return findCondition(node?.status?.conditions, "Ready")?.lastHeartbeatTime;
}
