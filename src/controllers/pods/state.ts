import { findCondition } from "#api/meta/condition.ts";
import type { Pod } from "#api/core/pod/kind.ts";

/** Short answers about one pod, as upstream's `pkg/api/v1/pod` and `pkg/controller` give them. */

export function isReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, "Ready")?.status === "True";
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Ended for good, well or not. */
export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Neither ended nor on its way out: counts as a replica. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && !isTerminating(pod);
}

/** Since when the pod has been ready, in milliseconds; `undefined` while it is not. */
export function readySince(pod: Pod): number | undefined {
  const condition = findCondition(pod.status?.conditions, "Ready");
  if (condition?.status !== "True") return undefined;
  const since = Date.parse(condition.lastTransitionTime ?? "");
  return Number.isNaN(since) ? 0 : since;
}

/** In how many milliseconds a ready pod counts as available: 0 when it does, `undefined` when it is not ready. */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  const since = readySince(pod);
  if (since === undefined) return undefined;
  return minReadySeconds <= 0 ? 0 : Math.max(0, since + minReadySeconds * 1000 - now);
}
