import type { Container, PodSpec } from "#api/core/pod/kind.ts";

/** How one container stands, as far as decisions need it. */
export interface Standing {
  readonly state: "none" | "running" | "exited";
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
  /** Failures in a row: how far the waiting time before the next start has grown. */
  readonly crashes: number;
  /** Its startup probe has passed, or it has none. */
  readonly started: boolean;
}

export interface Decision {
  /** Containers to start now; their order is the order of the spec. */
  readonly start: readonly string[];
  /** Containers that wait for their next start, and since which back-off. */
  readonly backingOff: ReadonlyMap<string, number>;
  /** The earliest moment at which time alone changes the decision. */
  readonly wakeAt?: number;
  /** All ordinary init containers have succeeded and all sidecars are up. */
  readonly initialized: boolean;
  /** The pod is over: sidecars are to be stopped, and nothing will start again. */
  readonly finished?: "Succeeded" | "Failed";
}

const firstDelayMs = 10_000;
const longestDelayMs = 300_000;
/** The file system's time and the clock's may differ by this. */
const clockSlackMs = 1_000;
/** A container that ran this long before it failed starts with the first delay again. */
export const goodRunMs = 600_000;

/** The pause before start number `crashes + 1`: none after the first failure, then 10 s doubling to 300 s. */
export function restartDelay(crashes: number): number {
  return crashes <= 1 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** (crashes - 2));
}

/**
 * What to do next in a pod, from how its containers stand (`computePodActions` of the kubelet): init containers one
 * after the other, a sidecar among them stays, then all others together; who ended is started again by its policy.
 * Pure.
 */
export function decide(spec: PodSpec, standingOf: (name: string) => Standing, now: number): Decision {
  const start: string[] = [];
  const backingOff = new Map<string, number>();
  let wakeAt: number | undefined;

  /** Starts the container now, or notes when it may be. */
  function startInTime(name: string, standing: Standing): void {
    const delay = standing.state === "exited" ? restartDelay(standing.crashes) : 0;
    // An end that lies ahead tells that the clock was set back since: nobody waits for it to come round again.
    const due = standing.finishedAt > now + clockSlackMs ? now : standing.finishedAt + delay;
    if (delay === 0 || due <= now) start.push(name);
    else {
      backingOff.set(name, delay);
      wakeAt = Math.min(wakeAt ?? due, due);
    }
  }

  const result = (more: Pick<Decision, "initialized" | "finished">): Decision => ({
    start,
    backingOff,
    ...(wakeAt === undefined ? {} : { wakeAt }),
    ...more,
  });

  const mains = spec.containers.map(({ name }) => ({ name, standing: standingOf(name) }));
  const isBegun = mains.some(({ standing }) => standing.state !== "none");
  for (const container of spec.initContainers ?? []) {
    const standing = standingOf(container.name);
    if (isSidecar(container)) {
      if (standing.state === "none" || standing.state === "exited") startInTime(container.name, standing);
      if (!isBegun && !(standing.state === "running" && standing.started)) return result({ initialized: false });
      continue;
    }
    if (isBegun || (standing.state === "exited" && standing.exitCode === 0)) continue;
    if (standing.state === "exited" && spec.restartPolicy === "Never") {
      return result({ initialized: false, finished: "Failed" });
    }
    if (standing.state !== "running") startInTime(container.name, standing);
    return result({ initialized: false });
  }

  for (const { name, standing } of mains) {
    if (standing.state === "none" || (standing.state === "exited" && restarts(spec, standing.exitCode))) {
      startInTime(name, standing);
    }
  }
  const isOver = mains.every(({ standing }) => standing.state === "exited" && !restarts(spec, standing.exitCode));
  if (!isOver) return result({ initialized: true });
  const failed = mains.some(({ standing }) => standing.exitCode !== 0);
  return { start: [], backingOff: new Map(), initialized: true, finished: failed ? "Failed" : "Succeeded" };
}

/** An init container that stays beside the others (KEP-753). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

function restarts({ restartPolicy = "Always" }: PodSpec, exitCode: number): boolean {
  return restartPolicy === "Always" || (restartPolicy === "OnFailure" && exitCode !== 0);
}
