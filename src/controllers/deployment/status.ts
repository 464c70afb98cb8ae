import { findCondition, type Condition } from "#api/meta/condition.ts";
import type { Deployment, DeploymentStatus } from "#api/apps/deployment/kind.ts";
import type { ReplicaSet } from "#api/apps/replicaset/kind.ts";
import { rolloutLimits } from "./limits.ts";
import { totalSize } from "./scale.ts";
import type { Revisions } from "./revision.ts";

/** What the controller itself just did or saw that the conditions should tell. */
export interface RolloutNews {
  /** RFC 3339. */
  readonly now: string;
  /** A condition `Progressing` that the turn brought about, e.g. a new ReplicaSet. */
  readonly progress?: { readonly reason: string; readonly message: string; readonly status?: "True" | "Unknown" };
  readonly collisionCount?: number;
}

/** No deadline: upstream treats the largest 32-bit number as none. */
const noDeadline = 2_147_483_647;

/** The Deployment's status numbers and conditions, in upstream's words. */
export function compileDeploymentStatus(
  deployment: Deployment,
  revisions: Revisions,
  news: RolloutNews,
): DeploymentStatus {
  const { next, old } = revisions;
  const all = next === undefined ? old : [...old, next];
  const availableReplicas = sum(all, "availableReplicas");
  const collisionCount = news.collisionCount ?? deployment.status?.collisionCount;
  const counts = {
    observedGeneration: deployment.metadata.generation,
    replicas: sum(all, "replicas"),
    updatedReplicas: next?.status?.replicas ?? 0,
    readyReplicas: sum(all, "readyReplicas"),
    availableReplicas,
    unavailableReplicas: Math.max(0, totalSize(all) - availableReplicas),
    terminatingReplicas: sum(all, "terminatingReplicas"),
    ...(collisionCount !== undefined && { collisionCount }),
  };
  let conditions = [...(deployment.status?.conditions ?? [])];
  conditions = setCondition(conditions, availability(deployment, availableReplicas), news.now);
  conditions = progressed(deployment, { counts, conditions, next }, news);
  const failure = all.map(({ status }) => findCondition(status?.conditions, "ReplicaFailure")).find((each) => each);
  conditions = conditions.filter(({ type }) => type !== "ReplicaFailure" || failure !== undefined);
  if (failure !== undefined) conditions = setCondition(conditions, failure, news.now);
  return { ...counts, ...(conditions.length > 0 && { conditions }) };
}

type Counts = Pick<DeploymentStatus, "replicas" | "updatedReplicas" | "readyReplicas" | "availableReplicas">;
type CountField = "replicas" | "readyReplicas" | "availableReplicas" | "terminatingReplicas";

function sum(replicaSets: readonly ReplicaSet[], field: CountField): number {
  return replicaSets.reduce((total, { status }) => total + (status?.[field] ?? 0), 0);
}

function availability(deployment: Deployment, available: number): Condition {
  const { replicas, maxUnavailable } = rolloutLimits(deployment);
  return available >= replicas - maxUnavailable
    ? {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
}

function progressed(
  deployment: Deployment,
  { counts, conditions, next }: { counts: Counts; conditions: Condition[]; next: ReplicaSet | undefined },
  news: RolloutNews,
): Condition[] {
  if (!hasDeadline(deployment)) return conditions.filter(({ type }) => type !== "Progressing");
  const told =
    news.progress === undefined
      ? conditions
      : setCondition(conditions, { type: "Progressing", status: "True", ...news.progress }, news.now);
  const current = findCondition(told, "Progressing");
  const finished = counts.replicas === counts.updatedReplicas && current?.reason === "NewReplicaSetAvailable";
  if (deployment.spec.paused === true || finished) return told;
  const subject =
    next === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${next.metadata.name}"`;
  if (isComplete(deployment, counts)) {
    const message = `${subject} has successfully progressed.`;
    return setCondition(
      told,
      { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable", message },
      news.now,
    );
  }
  if (movedSince(deployment.status ?? {}, counts)) {
    const message = `${subject} is progressing.`;
    const condition: Condition = { type: "Progressing", status: "True", reason: "ReplicaSetUpdated", message };
    // Every step forward starts the deadline anew, even when the words stay the same.
    return replaceCondition(told, condition, news.now);
  }
  if (current !== undefined && deadlineIn(deployment, current, news.now) === 0) {
    const message = `${subject} has timed out progressing.`;
    const reason = "ProgressDeadlineExceeded";
    return setCondition(told, { type: "Progressing", status: "False", reason, message }, news.now);
  }
  return told;
}

function movedSince(before: Counts, now: Counts): boolean {
  const grew = (field: keyof Counts) => (now[field] ?? 0) > (before[field] ?? 0);
  const oldOnes = ({ replicas = 0, updatedReplicas = 0 }: Counts) => replicas - updatedReplicas;
  return (
    grew("updatedReplicas") || grew("readyReplicas") || grew("availableReplicas") || oldOnes(now) < oldOnes(before)
  );
}

export function isComplete({ spec }: Deployment, counts: Counts): boolean {
  const wanted = spec.replicas ?? 1;
  return counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas === wanted;
}

export function hasDeadline({ spec }: Deployment): boolean {
  return (spec.progressDeadlineSeconds ?? noDeadline) !== noDeadline;
}

/** Milliseconds until the rollout counts as stuck, or `undefined` when it cannot get stuck. */
export function deadlineIn(
  deployment: Deployment,
  progressing: Condition | undefined,
  now: string,
): number | undefined {
  if (!hasDeadline(deployment) || deployment.spec.paused === true) return undefined;
  if (progressing === undefined || progressing.reason === "NewReplicaSetAvailable") return undefined;
  const since = Date.parse(progressing.lastUpdateTime ?? progressing.lastTransitionTime ?? now);
  return Math.max(0, since + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 - Date.parse(now));
}

/** A condition that says the same (status and reason) keeps its times and message. */
function setCondition(conditions: Condition[], next: Condition, now: string): Condition[] {
  const before = findCondition(conditions, next.type);
  return before?.status === next.status && before.reason === next.reason
    ? conditions
    : replaceCondition(conditions, next, now);
}

function replaceCondition(conditions: readonly Condition[], next: Condition, now: string): Condition[] {
  const before = findCondition(conditions, next.type);
  const { type, status, reason, message } = next;
  const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
  const others = conditions.filter((condition) => condition !== before);
  return [...others, { type, status, reason, message, lastUpdateTime: now, lastTransitionTime }];
}
