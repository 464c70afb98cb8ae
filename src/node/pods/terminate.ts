import { delay } from "#base/clock.ts";
import type { Container, Pod } from "#api/core/pod/kind.ts";
import type { PodDeps } from "./deps.ts";
import { check } from "./probe/check.ts";
import type { Track } from "./track.ts";

/** A program always gets this long between SIGTERM and SIGKILL, however long its preStop hook took. */
const leastGraceSeconds = 2;

export interface StopOptions {
  readonly deps: PodDeps;
  readonly pod: Pod;
  readonly containers: readonly Container[];
  readonly graceSeconds: number;
  readonly address: string;
  readonly trackOf: (name: string) => Track;
}

/** Stops containers side by side: the preStop hook, then SIGTERM, then SIGKILL when the grace is over. */
export async function stopContainers(options: StopOptions): Promise<void> {
  const { containers, trackOf } = options;
  await Promise.all(containers.map((container) => stopOne(container, trackOf(container.name), options)));
}

async function stopOne(container: Container, track: Track, options: StopOptions): Promise<void> {
  const { deps, pod, graceSeconds, address } = options;
  const { clock, runtime, events } = deps;
  const { id } = track;
  if (id === undefined) return;
  let left = graceSeconds;
  const hook = container.lifecycle?.preStop;
  if (hook !== undefined && graceSeconds > 0) {
    const began = clock.monotonic();
    if (hook.sleep !== undefined) await delay(clock, Math.min(hook.sleep.seconds, graceSeconds) * 1000);
    else {
      const exec = (command: readonly string[], timeoutMs: number) => runtime.execSync(id, command, timeoutMs);
      const { ok, message } = await check(hook, { container, address, exec }, graceSeconds * 1000);
      if (!ok) events.record(pod, "Warning", "FailedPreStopHook", `PreStopHook failed: ${message}`, container.name);
    }
    left = Math.max(leastGraceSeconds, graceSeconds - (clock.monotonic() - began) / 1000);
  }
  await runtime.stopContainer(id, left);
}
