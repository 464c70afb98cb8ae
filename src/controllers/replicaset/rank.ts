import type { Pod } from "#api/core/pod/kind.ts";
import { isReady, readySince } from "../pods/state.ts";

const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

/**
 * The pods to delete first when there are too many (upstream's `ActivePodsWithRanks`): unassigned, then pending, then
 * not ready, then of lower deletion cost, then on the node with more pods of the same owner, then ready for a shorter
 * time, then restarted more often, then newer. `related` are all pods of the same owner, to count them by node.
 */
export function pickPodsToDelete(pods: readonly Pod[], count: number, related: readonly Pod[]): Pod[] {
  const perNode = new Map<string, number>();
  for (const { spec } of related) perNode.set(spec.nodeName ?? "", (perNode.get(spec.nodeName ?? "") ?? 0) + 1);
  const ranked = pods.map((pod) => ({ pod, rank: rankOf(pod, perNode.get(pod.spec.nodeName ?? "") ?? 0) }));
  ranked.sort((a, b) => compareRanks(a.rank, b.rank) || (a.pod.metadata.name < b.pod.metadata.name ? -1 : 1));
  return ranked.slice(0, count).map(({ pod }) => pod);
}

const phaseRanks: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

function rankOf(pod: Pod, onSameNode: number): number[] {
  const { spec, status, metadata } = pod;
  const restarts = (status?.containerStatuses ?? []).reduce(
    (most, { restartCount }) => Math.max(most, restartCount),
    0,
  );
  return [
    spec.nodeName ? 1 : 0,
    phaseRanks[status?.phase ?? "Pending"] ?? 0,
    isReady(pod) ? 1 : 0,
    Number(metadata.annotations?.[deletionCostAnnotation] ?? 0) || 0,
    -onSameNode,
    -(readySince(pod) ?? 0),
    -restarts,
    -(Date.parse(metadata.creationTimestamp ?? "") || 0),
  ];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [index, left] of a.entries()) {
    const difference = left - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
