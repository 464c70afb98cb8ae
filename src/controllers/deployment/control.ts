import { isDeepStrictEqual } from "node:util";
import { rfc3339 } from "#base/clock.ts";
import type { Deployment } from "#api/apps/deployment/kind.ts";
import type { ReplicaSet } from "#api/apps/replicaset/kind.ts";
import { findCondition } from "#api/meta/condition.ts";
import { controllerOf, keyOf } from "#api/meta/object.ts";
import { matchesSelector } from "#api/meta/selector.ts";
import { isApiError } from "#api/meta/status.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { applyClaim, compileClaim } from "../ownership.ts";
import { createPendingWrites } from "../pending-writes.ts";
import { isTerminal } from "../pods/state.ts";
import { compileStatusPatch } from "../status-patch.ts";
import { sameTemplate } from "./hash.ts";
import { rolloutLimits } from "./limits.ts";
import {
  compileAnnotations,
  compileExpired,
  compileReplicaSet,
  compileRevisions,
  nextRevision,
  revisionAnnotation,
  revisionOf,
  scaleAnnotations,
  type Revisions,
} from "./revision.ts";
import {
  compileNewSize,
  compileOldSizes,
  compileProportionalSizes,
  desiredReplicasAnnotation,
  sizeOf,
  type Scaling,
} from "./scale.ts";
import { compileDeploymentStatus, deadlineIn, isComplete, type RolloutNews } from "./status.ts";

/** Rolls each Deployment's template out through ReplicaSets, one for each template it has had. */
export function startDeployments(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.recorder("deployment-controller");
  const deployments = informers.of("Deployment");
  const replicaSets = informers.of("ReplicaSet");
  const pods = informers.of("Pod");
  const pending = createPendingWrites(replicaSets, clock);

  async function reconcile(key: string): Promise<void> {
    const deployment = deployments.get(key);
    if (deployment === undefined) return pending.forget(key);
    if (!pending.caughtUp(key)) return queue.addAfter(key, pending.expiryMs);
    const { uid = "", namespace = "" } = deployment.metadata;
    const candidates = new Set([...replicaSets.by("owner", uid), ...replicaSets.by("orphan", namespace)]);
    const claim = compileClaim(deployment, [...candidates]);
    for (const written of await applyClaim(client, "ReplicaSet", deployment, claim)) pending.wrote(key, written);
    const revisions = compileRevisions(deployment, [...claim.owned, ...claim.adopt]);
    // Adoption changed objects that the next steps would write again: their change events bring the key back.
    const settled = claim.adopt.length === 0 && claim.release.length === 0;
    const going = deployment.metadata.deletionTimestamp !== undefined;
    const news = settled && !going ? await step(key, deployment, revisions) : undefined;
    await writeStatus(key, deployment, revisions, { now: rfc3339(clock.now()), ...news });
  }

  /** One step towards the wanted state; each further step follows when the last one shows. */
  async function step(
    key: string,
    deployment: Deployment,
    revisions: Revisions,
  ): Promise<Partial<RolloutNews> | undefined> {
    const { next, old } = revisions;
    const limits = rolloutLimits(deployment);
    const recreate = deployment.spec.strategy?.type === "Recreate";
    if (deployment.spec.paused === true || isScaled(deployment, revisions)) {
      const scalings = compileProportionalSizes(limits, { next, old, rolling: !recreate });
      await applyScalings(key, deployment, scalings);
      await keepScaleAnnotations(key, deployment, revisions, scalings);
      if (deployment.spec.paused === true) await removeExpired(key, deployment, old);
      return pausedNews(deployment);
    }
    const resumed = pausedNews(deployment);
    if (recreate) {
      const shrink = old.filter((each) => sizeOf(each) > 0).map((replicaSet) => ({ replicaSet, replicas: 0 }));
      await applyScalings(key, deployment, shrink);
      if (shrink.length > 0 || old.some((replicaSet) => hasLivePods(replicaSet))) return resumed;
    }
    const revision = nextRevision(revisions);
    const size = compileNewSize(
      limits,
      next === undefined ? 0 : sizeOf(next),
      [...old, ...(next ? [next] : [])],
      recreate,
    );
    if (next === undefined) return createReplicaSet(key, deployment, revision, size);
    // What was just written must show before the next decision.
    if (await describeRevision(key, deployment, next, revision)) return resumed;
    if (size !== sizeOf(next)) await applyScalings(key, deployment, [{ replicaSet: next, replicas: size }]);
    else if (!recreate) await applyScalings(key, deployment, compileOldSizes(limits, { next, old }));
    if (isComplete(deployment, compileDeploymentStatus(deployment, revisions, { now: "" }))) {
      await removeExpired(key, deployment, old);
    }
    if (findCondition(deployment.status?.conditions, "Progressing") !== undefined) return resumed;
    return { progress: { reason: "FoundNewReplicaSet", message: `Found new replica set "${next.metadata.name}"` } };
  }

  async function createReplicaSet(
    key: string,
    deployment: Deployment,
    revision: number,
    replicas: number,
  ): Promise<Partial<RolloutNews> | undefined> {
    const wanted = compileReplicaSet(deployment, { revision, replicas, limits: rolloutLimits(deployment) });
    const { name } = wanted.metadata;
    try {
      pending.wrote(key, await client.create("ReplicaSet", wanted));
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
      const existing = await client.get("ReplicaSet", wanted.metadata);
      const ours = existing !== undefined && controllerOf(existing)?.uid === deployment.metadata.uid;
      if (ours && sameTemplate(existing.spec.template, deployment.spec.template)) return undefined;
      // Another template has this name: the next turn makes another one.
      return { collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
    }
    await setRevision(deployment, revision);
    if (replicas > 0) tellScaled(deployment, name, 0, replicas);
    return { progress: { reason: "NewReplicaSetCreated", message: `Created new replica set "${name}"` } };
  }

  /** Brings the current ReplicaSet's annotations and minReadySeconds, and the Deployment's revision, up to date; true when the ReplicaSet changed. */
  async function describeRevision(
    key: string,
    deployment: Deployment,
    next: ReplicaSet,
    revision: number,
  ): Promise<boolean> {
    const annotations = compileAnnotations(deployment, { before: next, revision, limits: rolloutLimits(deployment) });
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    const stale = !isDeepStrictEqual(annotations, { ...next.metadata.annotations });
    const waits = (next.spec.minReadySeconds ?? 0) !== minReadySeconds;
    if (stale || waits) {
      await patchReplicaSet(key, next, { metadata: { annotations }, ...(waits && { spec: { minReadySeconds } }) });
    }
    await setRevision(deployment, Number(annotations[revisionAnnotation] ?? revisionOf(next)));
    return stale || waits;
  }

  async function setRevision(deployment: Deployment, revision: number): Promise<void> {
    if (deployment.metadata.annotations?.[revisionAnnotation] === String(revision)) return;
    await client.patch("Deployment", deployment.metadata, {
      metadata: { annotations: { [revisionAnnotation]: String(revision) } },
    });
  }

  async function applyScalings(key: string, deployment: Deployment, scalings: readonly Scaling[]): Promise<void> {
    const annotations = scaleAnnotations(rolloutLimits(deployment));
    await Promise.all(
      scalings.map(async ({ replicaSet, replicas }) => {
        await patchReplicaSet(key, replicaSet, { metadata: { annotations }, spec: { replicas } });
        tellScaled(deployment, replicaSet.metadata.name, sizeOf(replicaSet), replicas);
      }),
    );
  }

  /** After a scaling every active ReplicaSet says for which size it stands, or the scaling would be seen again. */
  async function keepScaleAnnotations(
    key: string,
    deployment: Deployment,
    { next, old }: Revisions,
    done: readonly Scaling[],
  ) {
    const annotations = scaleAnnotations(rolloutLimits(deployment));
    const active = [...old, ...(next ? [next] : [])].filter((each) => sizeOf(each) > 0);
    const rest = active.filter((each) => !done.some(({ replicaSet }) => replicaSet === each));
    const stale = rest.filter(({ metadata }) =>
      Object.entries(annotations).some(([name, value]) => metadata.annotations?.[name] !== value),
    );
    await Promise.all(stale.map((replicaSet) => patchReplicaSet(key, replicaSet, { metadata: { annotations } })));
  }

  async function patchReplicaSet(
    key: string,
    replicaSet: ReplicaSet,
    patch: { metadata: { annotations: Record<string, string> }; spec?: object },
  ): Promise<void> {
    const { resourceVersion } = replicaSet.metadata;
    const metadata = { ...patch.metadata, resourceVersion };
    pending.wrote(key, await client.patch("ReplicaSet", replicaSet.metadata, { ...patch, metadata }));
  }

  async function removeExpired(key: string, deployment: Deployment, old: readonly ReplicaSet[]): Promise<void> {
    await Promise.all(
      compileExpired(deployment, old).map(async (replicaSet) => {
        try {
          await client.delete("ReplicaSet", replicaSet.metadata);
          pending.deleted(key, replicaSet);
        } catch (error) {
          if (!isApiError(error, "NotFound")) throw error;
        }
      }),
    );
  }

  function tellScaled(deployment: Deployment, name: string, from: number, to: number): void {
    const direction = to > from ? "up" : "down";
    events.normal(deployment, "ScalingReplicaSet", `Scaled ${direction} replica set ${name} from ${from} to ${to}`);
  }

  function hasLivePods({ metadata }: ReplicaSet): boolean {
    return pods.by("owner", metadata.uid ?? "").some((pod) => !isTerminal(pod));
  }

  async function writeStatus(
    key: string,
    deployment: Deployment,
    revisions: Revisions,
    news: RolloutNews,
  ): Promise<void> {
    const status = compileDeploymentStatus(deployment, revisions, news);
    const progressing = findCondition(status.conditions, "Progressing");
    const stuckIn = progressing?.status === "False" ? undefined : deadlineIn(deployment, progressing, news.now);
    if (stuckIn !== undefined) queue.addAfter(key, stuckIn + 1000);
    const patch = compileStatusPatch(deployment.status, status);
    if (patch === undefined) return;
    try {
      await client.patch("Deployment", deployment.metadata, patch, { subresource: "status" });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  const queue = createLoop(context, { name: "deployment", reconcile });

  function addOwnerOf(replicaSet: ReplicaSet | undefined): void {
    if (replicaSet === undefined) return;
    const { namespace = "", labels } = replicaSet.metadata;
    const controller = controllerOf(replicaSet);
    if (controller?.kind === "Deployment") queue.add(`${namespace}/${controller.name}`);
    else if (controller === undefined) {
      for (const each of deployments.by("namespace", namespace)) {
        if (matchesSelector(each.spec.selector, labels)) queue.add(keyOf(each));
      }
    }
  }

  return runningLoop(queue, [
    deployments.onChange(({ before, after }) => queue.add(keyOf(after ?? before))),
    replicaSets.onChange(({ before, after }) => {
      addOwnerOf(after);
      if (after === undefined || controllerOf(before ?? after)?.uid !== controllerOf(after)?.uid) addOwnerOf(before);
    }),
    pods.onChange(({ type, before, after }) => {
      // A Recreate rollout goes on when the last old pod has ended; nothing else here depends on single pods.
      const pod = after ?? before;
      if (type !== "removed" && !isTerminal(pod)) return;
      const owner = controllerOf(pod);
      if (owner?.kind === "ReplicaSet") addOwnerOf(replicaSets.get(`${pod.metadata.namespace}/${owner.name}`));
    }),
  ]);
}

/** Whether the wanted number changed since the active ReplicaSets were last scaled. */
function isScaled({ spec }: Deployment, { next, old }: Revisions): boolean {
  const active = [...old, ...(next ? [next] : [])].filter((each) => sizeOf(each) > 0);
  return active.some(({ metadata }) => {
    const desired = metadata.annotations?.[desiredReplicasAnnotation];
    return desired !== undefined && Number(desired) !== (spec.replicas ?? 1);
  });
}

/** Pausing and resuming are told once, so that the time spent paused does not count against the deadline. */
function pausedNews({ spec, status }: Deployment): Partial<RolloutNews> | undefined {
  const reason = findCondition(status?.conditions, "Progressing")?.reason;
  if (reason === "ProgressDeadlineExceeded") return undefined;
  if (spec.paused === true && reason !== "DeploymentPaused") {
    return { progress: { reason: "DeploymentPaused", message: "Deployment is paused", status: "Unknown" } };
  }
  if (spec.paused !== true && reason === "DeploymentPaused") {
    return { progress: { reason: "DeploymentResumed", message: "Deployment is resumed", status: "Unknown" } };
  }
  return undefined;
}
