import { matchesPairs } from "#api/meta/selector.ts";
import { withCondition } from "#api/meta/condition.ts";
import type { ReplicaSet } from "#api/apps/replicaset/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { availableIn, isActive, isReady, isTerminal, isTerminating } from "../pods/state.ts";

export interface ReplicaSetSummary {
  readonly status: NonNullable<ReplicaSet["status"]>;
  /** When the next ready pod becomes available, in milliseconds from now. */
  readonly nextAvailableIn: number | undefined;
}

/** The status that says what `pods` are. `failure` is why the last creation or deletion failed, if it did. */
export function compileReplicaSetStatus(
  replicaSet: ReplicaSet,
  pods: readonly Pod[],
  { now, nowText, failure }: { now: number; nowText: string; failure: StatusFailure | undefined },
): ReplicaSetSummary {
  const active = pods.filter(isActive);
  const templateLabels = replicaSet.spec.template?.metadata?.labels ?? {};
  const waits = active
    .map((pod) => availableIn(pod, replicaSet.spec.minReadySeconds ?? 0, now))
    .filter((wait) => wait !== undefined);
  const later = waits.filter((wait) => wait > 0);
  const others = (replicaSet.status?.conditions ?? []).filter(({ type }) => type !== "ReplicaFailure");
  const conditions =
    failure === undefined
      ? others
      : withCondition(
          replicaSet.status?.conditions,
          { type: "ReplicaFailure", status: "True", reason: failure.reason, message: failure.message },
          nowText,
        );
  return {
    status: {
      replicas: active.length,
      fullyLabeledReplicas: active.filter(({ metadata }) => matchesPairs(templateLabels, metadata.labels)).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: waits.length - later.length,
      terminatingReplicas: pods.filter((pod) => isTerminating(pod) && !isTerminal(pod)).length,
      observedGeneration: replicaSet.metadata.generation,
      ...(conditions.length > 0 && { conditions }),
    },
    nextAvailableIn: later.length === 0 ? undefined : Math.min(...later),
  };
}

export interface StatusFailure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}
