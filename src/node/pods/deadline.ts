import type { Pod } from "#api/core/pod/kind.ts";

/** Milliseconds until `activeDeadlineSeconds` runs out, or `undefined` for a pod that has none or is over. Pure. */
export function deadlineIn({ spec, status = {} }: Pod, now: number): number | undefined {
  const { phase, startTime } = status;
  if (spec.activeDeadlineSeconds === undefined || startTime === undefined) return undefined;
  if (phase === "Succeeded" || phase === "Failed") return undefined;
  return Date.parse(startTime) + spec.activeDeadlineSeconds * 1000 - now;
}
