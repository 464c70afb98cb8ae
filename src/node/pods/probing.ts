import type { Container, Pod } from "#api/core/pod/kind.ts";
import type { PodDeps } from "./deps.ts";
import { check, type CheckContext } from "./probe/check.ts";
import { startProbe } from "./probe/schedule.ts";
import { startSettling } from "./probe/settle.ts";
import type { Track } from "./track.ts";

export interface ProbingOptions {
  readonly deps: PodDeps;
  readonly pod: Pod;
  readonly container: Container;
  readonly track: Track;
  readonly address: string;
  /** Readiness or started has turned. */
  readonly changed: () => void;
  /** Liveness or startup has failed for good: the container is to be killed. */
  readonly unhealthy: (message: string) => void;
}

/** Starts the probes of a running container: the startup probe first, then the other two. Returns how to stop them. */
export function startProbing(options: ProbingOptions): () => void {
  const { deps, pod, container, track, address, changed, unhealthy } = options;
  const { clock, runtime, events } = deps;
  const { startupProbe, readinessProbe, livenessProbe } = container;
  const id = track.id ?? "";
  const stops: (() => void)[] = [];
  const context: CheckContext = {
    container,
    address,
    exec: (command, timeoutMs) => runtime.execSync(id, command, timeoutMs),
  };

  const ports = (container.ports ?? []).filter(({ protocol = "TCP" }) => protocol === "TCP");
  async function listens(): Promise<boolean> {
    const looks = ports.map(({ containerPort }) => check({ tcpSocket: { port: containerPort } }, context, 1000));
    return (await Promise.all(looks)).every(({ ok }) => ok);
  }

  function begin(kind: "Startup" | "Readiness" | "Liveness", turned: (passed: boolean, message: string) => void): void {
    const probe = { Startup: startupProbe, Readiness: readinessProbe, Liveness: livenessProbe }[kind];
    if (probe === undefined) {
      if (kind === "Readiness" && !track.ready && ports.length > 0) {
        stops.push(startSettling({ clock, listens, settled: () => turned(true, "") }));
      } else turned(true, "");
      return;
    }
    const stop = startProbe({
      probe,
      clock,
      eager: kind !== "Liveness",
      check: (timeoutMs) => check(probe, context, timeoutMs),
      turned,
      failed: (message) =>
        events.record(pod, "Warning", "Unhealthy", `${kind} probe failed: ${message}`, container.name),
    });
    stops.push(stop);
  }

  function others(): void {
    begin("Readiness", (passed) => {
      track.ready = passed;
      changed();
    });
    begin("Liveness", (passed, message) => {
      if (!passed) unhealthy(`failed liveness probe: ${message}`);
    });
  }

  // A container that was adopted has passed it before.
  if (track.started && startupProbe !== undefined) others();
  else
    begin("Startup", (passed, message) => {
      if (!passed) return unhealthy(`failed startup probe: ${message}`);
      for (const stop of stops.splice(0)) stop();
      track.started = true;
      changed();
      others();
    });
  return () => {
    for (const stop of stops.splice(0)) stop();
  };
}
