import type { Clock } from "#base/clock.ts";
import type { Probe } from "#api/core/pod/kind.ts";
import type { CheckResult } from "./result.ts";

export interface ProbeRun {
  readonly probe: Probe;
  readonly clock: Clock;
  /** A failure before the first success is looked at again soon, without counting it: a pod gets ready when it is. */
  readonly eager: boolean;
  readonly check: (timeoutMs: number) => Promise<CheckResult>;
  /** The thresholds were reached, one way or the other; told again only when it turns. */
  readonly turned: (passed: boolean, message: string) => void;
  readonly failed: (message: string) => void;
}

/** The first looks of an eager probe come this soon after each other, then each half as late again. */
const eagerBaseMs = 50;
const eagerSpanMs = 1_000;

/** Probes until told to stop: after `initialDelaySeconds`, then every `periodSeconds`. */
export function startProbe({ probe, clock, eager, check, turned, failed }: ProbeRun): () => void {
  const period = Math.max(1, probe.periodSeconds ?? 10) * 1000;
  const timeout = Math.max(1, probe.timeoutSeconds ?? 1) * 1000;
  const thresholds = { success: probe.successThreshold ?? 1, failure: probe.failureThreshold ?? 3 };
  let stopped = false;
  let state: boolean | undefined;
  let streak = 0;
  let streakOf: boolean | undefined;
  let eagerMs = eager ? eagerBaseMs : period;
  const initialDelay = Math.max(0, probe.initialDelaySeconds ?? 0) * 1000;
  // A program that has been started this moment may well not listen yet: that is nothing to tell of.
  let nextCounted = clock.monotonic() + initialDelay + (eager ? eagerSpanMs : 0);
  let cancel = clock.after(initialDelay, () => void look());

  async function look(): Promise<void> {
    const counts = clock.monotonic() >= nextCounted;
    if (counts) nextCounted = clock.monotonic() + period;
    const { ok, message } = await check(timeout);
    if (stopped) return;
    if (ok || counts) {
      streak = ok === streakOf ? streak + 1 : 1;
      streakOf = ok;
      if (!ok) failed(message);
    }
    const reached = streak >= (streakOf ? thresholds.success : thresholds.failure);
    if (reached && state !== streakOf) {
      state = streakOf;
      turned(state === true, message);
    }
    if (stopped) return;
    const isEarly = state !== true && !ok && eagerMs < period;
    const wait = isEarly ? Math.min(eagerMs, Math.max(0, nextCounted - clock.monotonic())) : period;
    eagerMs *= 1.5;
    cancel = clock.after(wait, () => void look());
  }

  return () => {
    stopped = true;
    cancel();
  };
}
