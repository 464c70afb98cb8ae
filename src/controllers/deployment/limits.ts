import type { Deployment } from "#api/apps/deployment/kind.ts";

export interface RolloutLimits {
  readonly replicas: number;
  /** How many pods may exist above `replicas`. */
  readonly maxSurge: number;
  /** How many of `replicas` may be missing. */
  readonly maxUnavailable: number;
}

/**
 * The strategy's limits as pod counts: surge rounds up, unavailable rounds down, and when both come out as zero one pod
 * may be missing, since otherwise nothing could ever move (upstream's `ResolveFenceposts`).
 */
export function rolloutLimits({ spec }: Deployment): RolloutLimits {
  const { replicas = 1, strategy } = spec;
  if (strategy?.type === "Recreate") return { replicas, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = strategy?.rollingUpdate ?? {};
  const surge = scaled(maxSurge, replicas, Math.ceil);
  const unavailable = scaled(maxUnavailable, replicas, Math.floor);
  const missing = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { replicas, maxSurge: surge, maxUnavailable: Math.min(missing, replicas) };
}

export function scaled(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  return percent === undefined ? 0 : round((Number(percent) * total) / 100);
}
