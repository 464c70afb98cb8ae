/** One line of an object's `status.conditions`, in the shape all kinds share. */
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
  lastHeartbeatTime?: string;
  lastProbeTime?: string | null;
  observedGeneration?: number;
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The list with `next` in place of the condition of the same type. `lastTransitionTime` is kept while the status stays,
 * as upstream's helpers do; `now` is RFC 3339.
 */
export function withCondition(conditions: readonly Condition[] | undefined, next: Condition, now: string): Condition[] {
  const before = findCondition(conditions, next.type);
  const lastTransitionTime = before?.status === next.status ? (before.lastTransitionTime ?? now) : now;
  const written = { ...next, lastTransitionTime };
  if (before === undefined) return [...(conditions ?? []), written];
  return (conditions ?? []).map((condition) => (condition === before ? written : condition));
}
