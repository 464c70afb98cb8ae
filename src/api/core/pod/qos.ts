import type { PodSpec } from "./kind.ts";

/** Guaranteed when every container's limits equal its requests for both resources, BestEffort when none has any. */
export function qosClass({ containers, initContainers = [] }: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  const all = [...containers, ...initContainers].map(({ resources }) => resources ?? {});
  const counted = (list: Record<string, string> | undefined) =>
    ["cpu", "memory"].filter((name) => list?.[name] !== undefined && list[name] !== "0");
  if (all.every(({ limits, requests }) => counted(limits).length + counted(requests).length === 0)) return "BestEffort";
  const guaranteed = all.every(
    ({ limits, requests }) =>
      counted(limits).length === 2 &&
      counted(limits).every((name) => (requests?.[name] ?? limits?.[name]) === limits?.[name]),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
