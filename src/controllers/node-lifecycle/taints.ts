import { findCondition } from "#api/meta/condition.ts";
import type { Node, Taint } from "#api/core/node/kind.ts";

const notReady = "node.kubernetes.io/not-ready";
const unreachable = "node.kubernetes.io/unreachable";
const unschedulable = "node.kubernetes.io/unschedulable";
const kept: ReadonlySet<string> = new Set([notReady, unreachable, unschedulable]);

/**
 * The taints that a node's state calls for, with those that others set: not-ready while Ready is False or not yet told,
 * unreachable while it is Unknown, both also with NoExecute, and unschedulable while it is cordoned
 * (`pkg/controller/nodelifecycle`). `now` is RFC 3339. A taint that stays keeps its time.
 */
export function compileTaints(node: Node, now: string): Taint[] {
  const before = node.spec?.taints ?? [];
  const ready = findCondition(node.status?.conditions, "Ready")?.status;
  const wanted: Taint[] = [];
  if (node.spec?.unschedulable === true) wanted.push({ key: unschedulable, effect: "NoSchedule" });
  if (ready === undefined) wanted.push({ key: notReady, effect: "NoSchedule" });
  else if (ready !== "True") {
    const key = ready === "False" ? notReady : unreachable;
    wanted.push({ key, effect: "NoSchedule" }, { key, effect: "NoExecute" });
  }
  const same = (taint: Taint) => before.find(({ key, effect }) => key === taint.key && effect === taint.effect);
  const added = wanted.map((taint) => same(taint) ?? { ...taint, timeAdded: now });
  return [...before.filter(({ key }) => !kept.has(key)), ...added];
}
