import type { Taint } from "#api/core/node/kind.ts";
import type { Pod, Toleration } from "#api/core/pod/kind.ts";

/** Whether a toleration covers a taint: an empty key with Exists covers all, an empty effect every effect. */
export function covers({ key = "", operator = "Equal", value = "", effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === "") return operator === "Exists";
  return key === taint.key && (operator === "Exists" || value === (taint.value ?? ""));
}

export function tolerates({ spec }: Pod, taint: Taint): boolean {
  return (spec.tolerations ?? []).some((toleration) => covers(toleration, taint));
}

/**
 * For how many seconds a pod stays on a node with these NoExecute taints: 0 when it must go at once, `undefined` when
 * it may stay for good (upstream's taint-eviction-controller).
 */
export function tolerationSeconds({ spec }: Pod, taints: readonly Taint[]): number | undefined {
  let shortest: number | undefined;
  for (const taint of taints.filter(({ effect }) => effect === "NoExecute")) {
    const covering = (spec.tolerations ?? []).filter((toleration) => covers(toleration, taint));
    if (covering.length === 0) return 0;
    for (const { tolerationSeconds } of covering) {
      if (tolerationSeconds !== undefined) shortest = Math.min(shortest ?? Infinity, Math.max(0, tolerationSeconds));
    }
  }
  return shortest;
}
