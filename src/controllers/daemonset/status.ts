import type { DaemonSetStatus } from "#api/apps/daemonset/kind.ts";
import { availableIn, isReady } from "../pods/state.ts";
import { isCurrent, type World } from "./plan.ts";
import { fitOf } from "./pod.ts";

export interface DaemonSetSummary {
  readonly status: DaemonSetStatus;
  /** When the next ready pod becomes available, in milliseconds from now. */
  readonly nextAvailableIn: number | undefined;
}

/** The status that says on how many nodes pods are to be, are, and work; of several pods of a node the oldest counts. */
export function compileDaemonSetStatus(world: World): DaemonSetSummary {
  const { set, nodes, podsByNode, now } = world;
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  let nextAvailableIn: number | undefined;
  for (const node of nodes) {
    const [pod] = podsByNode.get(node.metadata.name) ?? [];
    if (!fitOf(set, node).shouldRun) {
      if (pod !== undefined) counts.misscheduled += 1;
      continue;
    }
    counts.desired += 1;
    if (pod === undefined) continue;
    counts.current += 1;
    if (isCurrent(pod, world)) counts.updated += 1;
    if (!isReady(pod)) continue;
    counts.ready += 1;
    const wait = availableIn(pod, set.spec.minReadySeconds ?? 0, now) ?? 0;
    if (wait === 0) counts.available += 1;
    else nextAvailableIn = Math.min(nextAvailableIn ?? Infinity, wait);
  }
  const { collisionCount, conditions } = set.status ?? {};
  const status: DaemonSetStatus = {
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: counts.desired,
    numberReady: counts.ready,
    observedGeneration: set.metadata.generation,
    updatedNumberScheduled: counts.updated,
    numberAvailable: counts.available,
    numberUnavailable: counts.desired - counts.available,
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions !== undefined && { conditions }),
  };
  // Go leaves zeros out of these.
  for (const field of ["updatedNumberScheduled", "numberAvailable", "numberUnavailable"] as const) {
    if (status[field] === 0) delete status[field];
  }
  return { status, nextAvailableIn };
}
