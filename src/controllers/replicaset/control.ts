import { rfc3339 } from "#base/clock.ts";
import type { ReplicaSet } from "#api/apps/replicaset/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { controllerOf, keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import {
  conflictRetryMs,
  createLoop,
  isNamespaceGoing,
  runningLoop,
  type ControllerContext,
  type RunningController,
} from "../controller.ts";
import { applyClaim, compileClaim, keysForPod, ownerReferenceTo } from "../ownership.ts";
import { createPendingWrites } from "../pending-writes.ts";
import { isActive } from "../pods/state.ts";
import { compileStatusPatch } from "../status-patch.ts";
import { pickPodsToDelete } from "./rank.ts";
import { compileReplicaSetStatus, type StatusFailure } from "./status.ts";

/** How many pods one turn creates or deletes at most (upstream's burst). */
const burst = 500;

/** Keeps as many pods of each ReplicaSet as it asks for. */
export function startReplicaSets(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.recorder("replicaset-controller");
  const replicaSets = informers.of("ReplicaSet");
  const pods = informers.of("Pod");
  const pending = createPendingWrites(pods, clock);

  async function reconcile(key: string): Promise<void> {
    const replicaSet = replicaSets.get(key);
    if (replicaSet === undefined) return pending.forget(key);
    if (!pending.caughtUp(key)) return queue.addAfter(key, pending.expiryMs);
    const { uid = "", namespace = "" } = replicaSet.metadata;
    const candidates = new Set([...pods.by("owner", uid), ...pods.by("orphan", namespace).filter(isActive)]);
    const claim = compileClaim(replicaSet, [...candidates]);
    for (const written of await applyClaim(client, "Pod", replicaSet, claim)) pending.wrote(key, written);
    const owned = [...claim.owned, ...claim.adopt];
    const going = replicaSet.metadata.deletionTimestamp !== undefined;
    const failure = going ? undefined : await scale(key, replicaSet, owned.filter(isActive));
    await writeStatus(key, replicaSet, owned, failure);
    if (failure !== undefined) throw new Error(failure.message);
  }

  async function scale(
    key: string,
    replicaSet: ReplicaSet,
    active: readonly Pod[],
  ): Promise<StatusFailure | undefined> {
    const missing = (replicaSet.spec.replicas ?? 1) - active.length;
    if (missing > 0) {
      const count = Math.min(missing, burst);
      return firstFailure(await Promise.all(Array.from({ length: count }, () => createPod(key, replicaSet))));
    }
    if (missing === 0) return undefined;
    const doomed = pickPodsToDelete(active, Math.min(-missing, burst), relatedPods(replicaSet));
    return firstFailure(await Promise.all(doomed.map((pod) => deletePod(key, replicaSet, pod))));
  }

  async function createPod(key: string, replicaSet: ReplicaSet): Promise<StatusFailure | undefined> {
    const { template } = replicaSet.spec;
    if (template === undefined)
      return { reason: "FailedCreate", message: `ReplicaSet ${key} has no pod template; set spec.template` };
    const { labels, annotations, finalizers } = template.metadata ?? {};
    const { name, namespace } = replicaSet.metadata;
    try {
      const pod = await client.create("Pod", {
        metadata: {
          generateName: `${name}-`,
          ...(namespace !== undefined && { namespace }),
          ...(labels && { labels }),
          ...(annotations && { annotations }),
          ...(finalizers && { finalizers }),
          ownerReferences: [ownerReferenceTo(replicaSet)],
        },
        spec: template.spec,
      });
      pending.wrote(key, pod);
      events.normal(replicaSet, "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
      return undefined;
    } catch (error) {
      if (isNamespaceGoing(error)) return undefined;
      const message = `Error creating: ${error instanceof Error ? error.message : String(error)}`;
      events.warning(replicaSet, "FailedCreate", message);
      return { reason: "FailedCreate", message };
    }
  }

  /** Deletes the pod as it was seen: one that has become ready meanwhile is weighed anew. */
  async function deletePod(key: string, replicaSet: ReplicaSet, pod: Pod): Promise<StatusFailure | undefined> {
    const { uid, resourceVersion, name } = pod.metadata;
    pending.deleted(key, pod);
    try {
      await client.delete("Pod", pod.metadata, { preconditions: { uid, resourceVersion } });
      events.normal(replicaSet, "SuccessfulDelete", `Deleted pod: ${name}`);
      return undefined;
    } catch (error) {
      if (isApiError(error, "NotFound")) return undefined;
      pending.undeleted(key, pod);
      if (isApiError(error, "Conflict")) {
        queue.addAfter(key, conflictRetryMs);
        return undefined;
      }
      const message = `Error deleting: ${error instanceof Error ? error.message : String(error)}`;
      events.warning(replicaSet, "FailedDelete", message);
      return { reason: "FailedDelete", message };
    }
  }

  /** The pods of all ReplicaSets of the same owner, so that a rolling update thins out crowded nodes first. */
  function relatedPods(replicaSet: ReplicaSet): Pod[] {
    const owner = controllerOf(replicaSet)?.uid;
    const siblings = owner === undefined ? [replicaSet] : replicaSets.by("owner", owner);
    return siblings.flatMap(({ metadata }) => pods.by("owner", metadata.uid ?? "")).filter(isActive);
  }

  async function writeStatus(
    key: string,
    replicaSet: ReplicaSet,
    owned: readonly Pod[],
    failure: StatusFailure | undefined,
  ) {
    const now = clock.now();
    const summary = compileReplicaSetStatus(replicaSet, owned, { now, nowText: rfc3339(now), failure });
    if (summary.nextAvailableIn !== undefined) queue.addAfter(key, summary.nextAvailableIn);
    const patch = compileStatusPatch(replicaSet.status, summary.status);
    if (patch === undefined) return;
    try {
      await client.patch("ReplicaSet", replicaSet.metadata, patch, { subresource: "status" });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  function addOwnersOf(pod: Pod | undefined): void {
    if (pod === undefined) return;
    const near = replicaSets.by("namespace", pod.metadata.namespace ?? "");
    for (const key of keysForPod(pod, "ReplicaSet", near)) queue.add(key);
  }

  const queue = createLoop(context, { name: "replicaset", reconcile });
  return runningLoop(queue, [
    replicaSets.onChange(({ before, after }) => queue.add(keyOf(after ?? before))),
    pods.onChange(({ before, after }) => {
      addOwnersOf(after);
      if (after === undefined || controllerOf(before ?? after)?.uid !== controllerOf(after)?.uid) addOwnersOf(before);
    }),
  ]);
}

function firstFailure(results: readonly (StatusFailure | undefined)[]): StatusFailure | undefined {
  return results.find((failure) => failure !== undefined);
}
