import type { ReplicaSet } from "#api/apps/replicaset/kind.ts";
import type { RolloutLimits } from "./limits.ts";

export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";

/** How many pods a ReplicaSet is to have from now on. */
export interface Scaling {
  readonly replicaSet: ReplicaSet;
  readonly replicas: number;
}

export const sizeOf = ({ spec }: ReplicaSet): number => spec.replicas ?? 0;
export const totalSize = (replicaSets: readonly ReplicaSet[]): number =>
  replicaSets.reduce((sum, replicaSet) => sum + sizeOf(replicaSet), 0);

/** Available pods that are meant to stay: a status from before a scale-down may still count those that go. */
export function availableOf(replicaSet: ReplicaSet): number {
  return Math.min(replicaSet.status?.availableReplicas ?? 0, sizeOf(replicaSet));
}
const totalAvailable = (replicaSets: readonly ReplicaSet[]): number =>
  replicaSets.reduce((sum, replicaSet) => sum + availableOf(replicaSet), 0);

/**
 * The most pods that a ReplicaSet may have right now: after a scale-down those that still stand count, and while its
 * controller has not seen its size at all anything is possible.
 */
function mostPodsOf(replicaSet: ReplicaSet): number {
  const { observedGeneration = 0, replicas = 0 } = replicaSet.status ?? {};
  return observedGeneration < (replicaSet.metadata.generation ?? 0) ? Infinity : Math.max(sizeOf(replicaSet), replicas);
}

/**
 * The size of the new ReplicaSet: as far as the surge leaves room. Upstream's `NewRSNewReplicas` reckons with the sizes
 * that ReplicaSets should have; this one with the pods there may be, so that the limit holds at every moment.
 */
export function compileNewSize(
  limits: RolloutLimits,
  current: number,
  all: readonly ReplicaSet[],
  recreate = false,
): number {
  const { replicas, maxSurge } = limits;
  if (recreate || current >= replicas) return replicas;
  const room = replicas + maxSurge - all.reduce((sum, replicaSet) => sum + mostPodsOf(replicaSet), 0);
  return room <= 0 ? current : current + Math.min(room, replicas - current);
}

/**
 * Which old ReplicaSets shrink now: first by their pods that are not available, then, oldest first, by as many as the
 * available ones allow (upstream's `reconcileOldReplicaSets`). Never takes an available pod below the minimum.
 */
export function compileOldSizes(
  limits: RolloutLimits,
  { next, old }: { next: ReplicaSet; old: readonly ReplicaSet[] },
): Scaling[] {
  const minAvailable = limits.replicas - limits.maxUnavailable;
  const missingInNew = sizeOf(next) - availableOf(next);
  const spare = totalSize([...old, next]) - minAvailable - missingInNew;
  if (totalSize(old) === 0 || spare <= 0) return [];
  const sizes = new Map<ReplicaSet, number>();
  const oldest = [...old].sort(byAge);
  let unhealthy = spare;
  for (const replicaSet of oldest) {
    const cut = Math.min(unhealthy, sizeOf(replicaSet) - availableOf(replicaSet));
    unhealthy -= cut;
    sizes.set(replicaSet, sizeOf(replicaSet) - cut);
  }
  let surplus = Math.min(totalAvailable([...old, next]) - minAvailable, unhealthy);
  for (const replicaSet of oldest) {
    const size = sizes.get(replicaSet) ?? 0;
    const cut = Math.max(0, Math.min(surplus, size));
    surplus -= cut;
    sizes.set(replicaSet, size - cut);
  }
  return oldest
    .map((replicaSet) => ({ replicaSet, replicas: sizes.get(replicaSet) ?? 0 }))
    .filter(({ replicaSet, replicas }) => replicas !== sizeOf(replicaSet));
}

/**
 * A Deployment that is scaled in the middle of a rollout (or while paused) shares the change among its ReplicaSets in
 * proportion to their sizes; the largest takes the rest (upstream's `scale`).
 */
export function compileProportionalSizes(
  limits: RolloutLimits,
  { next, old, rolling }: { next: ReplicaSet | undefined; old: readonly ReplicaSet[]; rolling: boolean },
): Scaling[] {
  const all = next === undefined ? [...old] : [...old, next];
  const active = all.filter((replicaSet) => sizeOf(replicaSet) > 0);
  const only = active.length === 0 ? (next ?? all.sort(byAge).at(-1)) : active.length === 1 ? active[0] : undefined;
  if (only !== undefined) {
    return sizeOf(only) === limits.replicas ? [] : [{ replicaSet: only, replicas: limits.replicas }];
  }
  if (next !== undefined && isSaturated(next, limits)) {
    return old.filter((replicaSet) => sizeOf(replicaSet) > 0).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  }
  if (!rolling) return [];
  const allowed = limits.replicas > 0 ? limits.replicas + limits.maxSurge : 0;
  const toAdd = allowed - totalSize(active);
  if (toAdd === 0) return [];
  const largest = active.sort((a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)));
  let added = 0;
  const sizes = largest.map((replicaSet) => {
    const left = toAdd - added;
    const share = proportionOf(replicaSet, limits);
    const change = toAdd > 0 ? Math.min(Math.max(share, 0), left) : Math.max(Math.min(share, 0), left);
    added += change;
    return { replicaSet, replicas: sizeOf(replicaSet) + change };
  });
  const [first, ...rest] = sizes;
  if (first === undefined) return [];
  return [{ ...first, replicas: Math.max(0, first.replicas + toAdd - added) }, ...rest].filter(
    ({ replicaSet, replicas }) => replicas !== sizeOf(replicaSet),
  );
}

function proportionOf(replicaSet: ReplicaSet, { replicas, maxSurge }: RolloutLimits): number {
  if (replicas === 0) return -sizeOf(replicaSet);
  const before = Number(replicaSet.metadata.annotations?.[maxReplicasAnnotation]) || replicas + maxSurge;
  return Math.round((sizeOf(replicaSet) * (replicas + maxSurge)) / before) - sizeOf(replicaSet);
}

function isSaturated(replicaSet: ReplicaSet, { replicas }: RolloutLimits): boolean {
  const desired = Number(replicaSet.metadata.annotations?.[desiredReplicasAnnotation]);
  return sizeOf(replicaSet) === replicas && desired === replicas && availableOf(replicaSet) === replicas;
}

/** Older first, then by name. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.name}`) as [
    string,
    string,
  ];
  return left < right ? -1 : left > right ? 1 : 0;
}
