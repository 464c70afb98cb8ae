import type { ControllerRevision } from "#api/apps/controllerrevision/kind.ts";
import type { DaemonSet } from "#api/apps/daemonset/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { sameValue } from "#api/meta/field-errors.ts";
import type { New } from "#client/contract.ts";
import { templateHash } from "../deployment/hash.ts";
import { ownerReferenceTo } from "../ownership.ts";
import { revisionLabel } from "./pod.ts";

/** The patch that brings a DaemonSet's template back, as `kubectl rollout undo` applies it. */
export function templatePatch({ spec }: DaemonSet): Record<string, unknown> {
  return { spec: { template: { ...spec.template, $patch: "replace" } } };
}

export interface History {
  /** The revision of today's template; absent when it is still to be made. */
  readonly current: ControllerRevision | undefined;
  /** The others, the oldest first. */
  readonly old: readonly ControllerRevision[];
  /** The number that the current one has or is to have: one more than all others. */
  readonly number: number;
}

/** Sorts the revisions of a DaemonSet. Of several of one template the newest counts, the others are old. */
export function compileHistory(set: DaemonSet, revisions: readonly ControllerRevision[]): History {
  const patch = templatePatch(set);
  const sorted = revisions.toSorted((a, b) => a.revision - b.revision);
  const current = sorted.findLast(({ data }) => sameValue(data, patch));
  const old = sorted.filter((each) => each !== current);
  const newest = Math.max(0, ...old.map(({ revision }) => revision));
  const number = current !== undefined && current.revision > newest ? current.revision : newest + 1;
  return { current, old, number };
}

export function renderRevision(set: DaemonSet, number: number): New<ControllerRevision> {
  const hash = templateHash(set.spec.template, set.status?.collisionCount);
  const { name, namespace, annotations } = set.metadata;
  return {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace !== undefined && { namespace }),
      labels: { ...set.spec.template.metadata?.labels, [revisionLabel]: hash },
      ...(annotations && { annotations }),
      ownerReferences: [ownerReferenceTo(set)],
    },
    data: templatePatch(set),
    revision: number,
  };
}

/** The old revisions beyond the limit that no pod is of, the oldest first. */
export function revisionsToDrop(
  { spec }: DaemonSet,
  old: readonly ControllerRevision[],
  pods: readonly Pod[],
): ControllerRevision[] {
  const live = new Set(pods.map(({ metadata }) => metadata.labels?.[revisionLabel]));
  const surplus = Math.max(0, old.length - (spec.revisionHistoryLimit ?? 10));
  return old.filter(({ metadata }) => !live.has(metadata.labels?.[revisionLabel])).slice(0, surplus);
}
