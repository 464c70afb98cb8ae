import { isDeepStrictEqual } from "node:util";
import { rfc3339 } from "#base/clock.ts";
import { findCondition, withCondition, type Condition } from "#api/meta/condition.ts";
import { keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Node } from "#api/core/node/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { isActive, isTerminal } from "../pods/state.ts";
import { compilePlacement } from "./place.ts";

const schedulerName = "default-scheduler";

/** Gives every pending pod a node, and says why when none can take it. */
export function startScheduler(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.recorder(schedulerName);
  const pods = informers.of("Pod");
  const nodes = informers.of("Node");
  /** Placements that the informer does not show yet; they count as if it did. */
  const assumed = new Map<string, { pod: Pod; node: string }>();

  async function reconcile(key: string): Promise<void> {
    const pod = pods.get(key);
    if (pod === undefined || !isPending(pod) || assumed.has(key)) return;
    const waiting = [...assumed.values()];
    const candidates = nodes.list().map((node) => {
      const { name } = node.metadata;
      const arriving = waiting.filter((each) => each.node === name).map((each) => each.pod);
      return { node, pods: [...pods.by("node", name).filter((each) => !isTerminal(each)), ...arriving] };
    });
    const placement = compilePlacement(pod, candidates);
    if (placement.node === undefined) return refuse(pod, placement.message);
    assumed.set(key, { pod, node: placement.node });
    try {
      const { resourceVersion } = pod.metadata;
      await client.patch("Pod", pod.metadata, { metadata: { resourceVersion }, spec: { nodeName: placement.node } });
      events.normal(pod, "Scheduled", `Successfully assigned ${key} to ${placement.node}`);
    } catch (error) {
      assumed.delete(key);
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  async function refuse(pod: Pod, message: string): Promise<void> {
    const before = findCondition(pod.status?.conditions, "PodScheduled");
    if (before?.status === "False" && before.message === message) return;
    const condition: Condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message };
    const conditions = withCondition(pod.status?.conditions, condition, rfc3339(clock.now()));
    const { resourceVersion } = pod.metadata;
    events.warning(pod, "FailedScheduling", message);
    try {
      const patch = { metadata: { resourceVersion }, status: { conditions } };
      await client.patch("Pod", pod.metadata, patch, { subresource: "status" });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  function addPending(): void {
    for (const pod of pods.by("node", "")) if (isPending(pod)) queue.add(keyOf(pod));
  }

  // Decisions are made one after the other, so that pods of one owner spread; only the writes overlap.
  const queue = createLoop(context, { name: "scheduler", reconcile, concurrency: 16 });
  return runningLoop(queue, [
    pods.onChange(({ before, after }) => {
      const pod = after ?? before;
      const key = keyOf(pod);
      if (after === undefined || after.spec.nodeName) assumed.delete(key);
      if (after !== undefined && isPending(after)) queue.add(key);
      // A pod that ends leaves room.
      const ended = before?.spec.nodeName && isActive(before) && (after === undefined || isTerminal(after));
      if (ended) addPending();
    }),
    nodes.onChange(({ before, after }) => {
      if (after === undefined || (before !== undefined && isDeepStrictEqual(facts(before), facts(after)))) return;
      addPending();
    }),
  ]);
}

function isPending(pod: Pod): boolean {
  return !pod.spec.nodeName && isActive(pod) && (pod.spec.schedulerName ?? schedulerName) === schedulerName;
}

/** All of a node that decides whether pods fit. */
function facts({ spec, metadata, status }: Node): unknown {
  const ready = findCondition(status?.conditions, "Ready")?.status;
  return [spec?.unschedulable ?? false, spec?.taints ?? [], metadata.labels, ready, status?.allocatable];
}
