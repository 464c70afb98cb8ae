import { rfc3339 } from "#base/clock.ts";
import { findCondition, withCondition, type Condition } from "#api/meta/condition.ts";
import type { Container, ContainerState, ContainerStatus, Pod, PodPhase, PodStatus } from "#api/core/pod/kind.ts";
import { isSidecar, type Decision } from "./decide.ts";

/** How a container ended. */
export interface Ending {
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly containerId: string;
}

/** What a status is made from: one container as it stands now. */
export interface ContainerView {
  readonly name: string;
  readonly state: "none" | "running" | "exited";
  readonly containerId?: string;
  readonly startedAt?: number;
  /** Of the present container, when it has ended. */
  readonly ending?: Ending;
  /** Of the one before. */
  readonly lastEnding?: Ending;
  /** Why it cannot be started now. */
  readonly waiting?: { readonly reason: string; readonly message: string };
  readonly restartCount: number;
  readonly started: boolean;
  readonly ready: boolean;
}

export interface StatusInput {
  readonly pod: Pod;
  readonly viewOf: (name: string) => ContainerView;
  readonly decision: Decision;
  /** The pod's address, or one of each family; none before it has one. */
  readonly addresses: readonly string[];
  readonly hostAddresses: readonly string[];
  readonly networkReady: boolean;
  readonly now: number;
}

/** The whole status of a pod, keeping the conditions that others have set. Pure. */
export function compileStatus(input: StatusInput): PodStatus {
  const { pod, viewOf, decision, addresses, hostAddresses, now } = input;
  const list = (texts: readonly string[]) => texts.map((ip) => ({ ip }));
  const { containers, initContainers = [] } = pod.spec;
  const before = pod.status ?? {};
  const statuses = containers.map((container) => statusOf(container, viewOf(container.name), input, false));
  const initStatuses = initContainers.map((container) => statusOf(container, viewOf(container.name), input, true));
  const phase = decision.finished ?? phaseOf(decision, statuses);
  return {
    ...before,
    phase,
    conditions: compileConditions(input, phase, [...initStatuses, ...statuses]),
    hostIP: hostAddresses[0] ?? "",
    hostIPs: list(hostAddresses),
    ...(addresses[0] === undefined ? {} : { podIP: addresses[0], podIPs: list(addresses) }),
    startTime: before.startTime ?? rfc3339(now),
    containerStatuses: statuses,
    ...(initStatuses.length === 0 ? {} : { initContainerStatuses: initStatuses }),
  };
}

/** `getPhase` of the kubelet. */
function phaseOf(decision: Decision, statuses: readonly ContainerStatus[]): PodPhase {
  if (!decision.initialized) return "Pending";
  const neverRan = statuses.some(({ state, lastState }) => state?.waiting !== undefined && !lastState?.terminated);
  return neverRan ? "Pending" : "Running";
}

function statusOf(container: Container, view: ContainerView, input: StatusInput, isInit: boolean): ContainerStatus {
  const state = stateOf(view, input, isInit);
  const last = state.waiting === undefined ? view.lastEnding : (view.ending ?? view.lastEnding);
  const isDone = isInit && !isSidecar(container) && view.ending?.exitCode === 0;
  return {
    name: container.name,
    state,
    lastState: last === undefined ? {} : { terminated: terminated(last) },
    ready: isDone || (view.state === "running" && view.ready),
    restartCount: view.restartCount,
    image: container.image ?? "",
    imageID: "",
    ...(view.containerId === undefined ? {} : { containerID: `fairlead://${view.containerId}` }),
    started: view.state === "running" && view.started,
  };
}

function stateOf(view: ContainerView, { pod, decision }: StatusInput, isInit: boolean): ContainerState {
  if (view.state === "running") {
    return { running: view.startedAt === undefined ? {} : { startedAt: rfc3339(view.startedAt) } };
  }
  if (view.waiting !== undefined) return { waiting: view.waiting };
  const delay = decision.backingOff.get(view.name);
  if (delay !== undefined) {
    const { name, namespace, uid } = pod.metadata;
    const message = `back-off ${delayText(delay)} restarting failed container=${view.name} pod=${name}_${namespace}(${uid})`;
    return { waiting: { reason: "CrashLoopBackOff", message } };
  }
  if (view.ending !== undefined) return { terminated: terminated(view.ending) };
  const inits = pod.spec.initContainers?.length ?? 0;
  return {
    waiting: { reason: inits > 0 && (isInit || !decision.initialized) ? "PodInitializing" : "ContainerCreating" },
  };
}

/** As Go prints a duration: `10s`, `1m20s`, `5m0s`. */
function delayText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

function terminated(ending: Ending): NonNullable<ContainerState["terminated"]> {
  return {
    exitCode: ending.exitCode,
    reason: ending.reason,
    ...(ending.message === "" ? {} : { message: ending.message }),
    startedAt: rfc3339(ending.startedAt),
    finishedAt: rfc3339(ending.finishedAt),
    ...(ending.containerId === "" ? {} : { containerID: `fairlead://${ending.containerId}` }),
  };
}

function compileConditions(
  { pod, viewOf, decision, networkReady, now }: StatusInput,
  phase: PodPhase,
  statuses: readonly ContainerStatus[],
): Condition[] {
  const time = rfc3339(now);
  const { containers, initContainers = [], readinessGates = [] } = pod.spec;
  const isOver = phase === "Succeeded" || phase === "Failed";
  const watched = [...initContainers.filter((container) => isSidecar(container)), ...containers];
  const byName = new Map(statuses.map((status) => [status.name, status]));
  const unready = watched.map(({ name }) => name).filter((name) => !byName.get(name)?.ready);
  const incomplete = initContainers
    .filter((one) => !isSidecar(one) && viewOf(one.name).ending?.exitCode !== 0)
    .map(({ name }) => name);
  const yes = (type: string): Condition => ({ type, status: "True" });
  const no = (type: string, reason: string, message?: string): Condition => ({
    type,
    status: "False",
    reason,
    ...(message === undefined ? {} : { message }),
  });
  const notReady = `containers with unready status: [${unready.join(" ")}]`;
  const readyOr = (type: string): Condition => {
    if (phase === "Succeeded") return no(type, "PodCompleted");
    if (phase === "Failed") return no(type, "PodFailed");
    return unready.length === 0 && decision.initialized ? yes(type) : no(type, "ContainersNotReady", notReady);
  };
  const containersReady = readyOr("ContainersReady");
  const gates = readinessGates
    .map(({ conditionType }) => conditionType)
    .filter((type) => findCondition(pod.status?.conditions, type)?.status !== "True");
  const ready =
    containersReady.status === "True" && gates.length > 0
      ? no("Ready", "ReadinessGatesNotReady", `the status of pod readiness gate "${gates[0]}" is not "True"`)
      : readyOr("Ready");
  const initialized =
    decision.initialized || phase === "Succeeded"
      ? yes("Initialized")
      : no("Initialized", "ContainersNotInitialized", `containers with incomplete status: [${incomplete.join(" ")}]`);
  const next: Condition[] = [
    networkReady && !isOver ? yes("PodReadyToStartContainers") : { type: "PodReadyToStartContainers", status: "False" },
    isOver && phase === "Succeeded" ? { ...initialized, reason: "PodCompleted" } : initialized,
    ready,
    containersReady,
    yes("PodScheduled"),
  ];
  let conditions: Condition[] = [...(pod.status?.conditions ?? [])];
  for (const condition of next) conditions = withCondition(conditions, condition, time);
  return conditions;
}
