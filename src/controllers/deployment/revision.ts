import type { Deployment } from "#api/apps/deployment/kind.ts";
import type { ReplicaSet } from "#api/apps/replicaset/kind.ts";
import { hashLabel, sameTemplate, templateHash } from "./hash.ts";
import { byAge, desiredReplicasAnnotation, maxReplicasAnnotation, sizeOf } from "./scale.ts";
import type { RolloutLimits } from "./limits.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";

/** Annotations of a Deployment that its ReplicaSets do not take over (upstream's `skipCopyAnnotation`). */
const ownAnnotations: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
]);

export interface Revisions {
  /** The ReplicaSet of the current template, when there is one. */
  readonly next: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

/** Of several ReplicaSets with the current template the oldest is the one, so that all observers agree. */
export function compileRevisions({ spec }: Deployment, replicaSets: readonly ReplicaSet[]): Revisions {
  const [next] = replicaSets.filter((each) => sameTemplate(each.spec.template, spec.template)).sort(byAge);
  return { next, old: replicaSets.filter((replicaSet) => replicaSet !== next) };
}

export const revisionOf = ({ metadata }: ReplicaSet): number => Number(metadata.annotations?.[revisionAnnotation]) || 0;

/** The revision of the current template: one more than any other's; a template that comes back gets a new number. */
export function nextRevision({ old }: Revisions): number {
  return Math.max(0, ...old.map(revisionOf)) + 1;
}

/** The annotations of the current ReplicaSet, with the revisions it had before. */
export function compileAnnotations(
  deployment: Deployment,
  { before, revision, limits }: { before: ReplicaSet | undefined; revision: number; limits: RolloutLimits },
): Record<string, string> {
  const annotations: Record<string, string> = { ...before?.metadata.annotations };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!ownAnnotations.has(key)) annotations[key] = value;
  }
  const had = annotations[revisionAnnotation];
  if (had === undefined || Number(had) < revision) {
    if (had !== undefined) {
      const history = annotations[revisionHistoryAnnotation];
      annotations[revisionHistoryAnnotation] = history === undefined ? had : `${history},${had}`;
    }
    annotations[revisionAnnotation] = String(revision);
  }
  return { ...annotations, ...scaleAnnotations(limits) };
}

export function scaleAnnotations({ replicas, maxSurge }: RolloutLimits): Record<string, string> {
  return { [desiredReplicasAnnotation]: String(replicas), [maxReplicasAnnotation]: String(replicas + maxSurge) };
}

/** The ReplicaSet of the current template, as it is created. */
export function compileReplicaSet(
  deployment: Deployment,
  { revision, replicas, limits }: { revision: number; replicas: number; limits: RolloutLimits },
) {
  const { name, namespace, uid = "" } = deployment.metadata;
  const { selector, template, minReadySeconds } = deployment.spec;
  const hash = templateHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace !== undefined && { namespace }),
      labels,
      annotations: compileAnnotations(deployment, { before: undefined, revision, limits }),
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "Deployment", name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: {
      replicas,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** Old ReplicaSets beyond the history limit that nothing runs in any more, oldest revision first. */
export function compileExpired({ spec }: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = spec.revisionHistoryLimit ?? 10;
  const kept = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const surplus = kept.sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, kept.length - limit));
  return surplus.filter((replicaSet) => sizeOf(replicaSet) === 0 && isIdle(replicaSet));
}

function isIdle({ status, metadata }: ReplicaSet): boolean {
  return (status?.replicas ?? 0) === 0 && (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
}
