import { findCondition } from "../../meta/condition.ts";
import type { ContainerState, ContainerStatus, Pod } from "./kind.ts";

/** The STATUS column: what a reader most needs to know about the pod, as upstream's printer chooses it. */
export function podStatusText(pod: Pod): string {
  const { metadata, status } = pod;
  const phase = status?.phase ?? "";
  const terminal = phase === "Succeeded" || phase === "Failed";
  const text = initText(pod) ?? containersText(pod) ?? (status?.reason || gatedText(pod) || phase);
  if (metadata.deletionTimestamp === undefined) return text;
  if (status?.reason === "NodeLost") return "Unknown";
  return terminal ? text : "Terminating";
}

/** Whether init containers still stand between the pod and its own containers. */
export function isInitializing(pod: Pod): boolean {
  return initText(pod) !== undefined;
}

function gatedText({ status }: Pod): string | undefined {
  const scheduled = findCondition(status?.conditions, "PodScheduled");
  return scheduled?.reason === "SchedulingGated" ? "SchedulingGated" : undefined;
}

function initText({ spec, status }: Pod): string | undefined {
  const containers = spec.initContainers ?? [];
  const stays = (name: string) => containers.find((container) => container.name === name)?.restartPolicy === "Always";
  for (const [index, container] of (status?.initContainerStatuses ?? []).entries()) {
    if (container.state?.terminated?.exitCode === 0) continue;
    if (stays(container.name) && container.started === true) continue;
    const ended = container.state?.terminated;
    if (ended !== undefined) return `Init:${endText(ended)}`;
    const waiting = container.state?.waiting?.reason;
    if (waiting && waiting !== "PodInitializing") return `Init:${waiting}`;
    return `Init:${index}/${containers.length}`;
  }
  return undefined;
}

function containersText({ status }: Pod): string | undefined {
  let text: string | undefined;
  let running = false;
  for (const container of (status?.containerStatuses ?? []).toReversed()) {
    const { waiting, terminated } = container.state ?? {};
    if (waiting?.reason) text = waiting.reason;
    else if (terminated !== undefined) text = endText(terminated);
    else if (isRunning(container)) running = true;
  }
  if (text !== "Completed" || !running) return text;
  return findCondition(status?.conditions, "Ready")?.status === "True" ? "Running" : "NotReady";
}

function isRunning({ ready, state }: ContainerStatus): boolean {
  return ready && state?.running !== undefined;
}

function endText({ reason, signal, exitCode }: NonNullable<ContainerState["terminated"]>): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}
