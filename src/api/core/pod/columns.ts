import type { Column } from "../../kind.ts";
import { ageSince } from "../../meta/age.ts";
import { ageColumn, nameColumn, textColumn, wideColumn } from "../../meta/columns.ts";
import { findCondition } from "../../meta/condition.ts";
import type { ContainerStatus, Pod } from "./kind.ts";
import { isInitializing, podStatusText } from "./status-text.ts";

/** The containers that count as running parts of the pod: its own, and the init containers that stay. */
function countedStatuses({ spec, status }: Pod): { statuses: ContainerStatus[]; total: number } {
  const sidecars = new Set(
    (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  const own = status?.containerStatuses ?? [];
  const staying = (status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name));
  return { statuses: [...staying, ...own], total: spec.containers.length + sidecars.size };
}

function readyText(pod: Pod): string {
  const { statuses, total } = countedStatuses(pod);
  const ready = statuses.filter((status) => status.ready && status.state?.running !== undefined).length;
  return `${ready}/${total}`;
}

function restartsText(pod: Pod, now: number): string {
  const counted = isInitializing(pod) ? (pod.status?.initContainerStatuses ?? []) : countedStatuses(pod).statuses;
  const restarts = counted.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const last = counted
    .map(({ lastState }) => lastState?.terminated?.finishedAt)
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  return restarts > 0 && last !== undefined ? `${restarts} (${ageSince(last, now)} ago)` : String(restarts);
}

function gatesText({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const open = gates.filter(({ conditionType }) => findCondition(status?.conditions, conditionType)?.status === "True");
  return `${open.length}/${gates.length}`;
}

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  textColumn("Ready", readyText, "Ready containers of all."),
  textColumn("Status", podStatusText),
  textColumn("Restarts", restartsText),
  ageColumn,
  wideColumn("IP", ({ status }) => status?.podIPs?.[0]?.ip || status?.podIP || "<none>"),
  wideColumn("Node", ({ spec }) => spec.nodeName || "<none>"),
  wideColumn("Nominated Node", () => "<none>"),
  wideColumn("Readiness Gates", gatesText),
];
