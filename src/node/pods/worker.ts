import type { Container, Pod, PodStatus } from "#api/core/pod/kind.ts";
import { isApiError } from "#api/meta/status.ts";
import { allAddresses } from "../network/ipv6.ts";
import type { Sandbox } from "../runtime/contract.ts";
import { decide, isSidecar, type Decision } from "./decide.ts";
import { deadlineIn } from "./deadline.ts";
import type { PodDeps } from "./deps.ts";
import { hostnameOf } from "./hosts.ts";
import { launch, podFolderOf, sourcesOf, writePodFiles } from "./launch.ts";
import { check } from "./probe/check.ts";
import { startProbing } from "./probing.ts";
import { withLogTail } from "./log-tail.ts";
import { compileStatus } from "./status.ts";
import { stopContainers } from "./terminate.ts";
import { adoptTrack, createTrack, endingOf, noteEnding, standingOf, viewOf, type Track } from "./track.ts";
import { createPodTokens } from "./tokens.ts";
import { removePodFolder } from "./volume-release.ts";
import { prepareVolumes, refreshVolumes } from "./volumes.ts";

/** Runs one pod, from its first container to the removal of its last trace. */
export interface PodWorker {
  readonly uid: string;
  /** The pod's object as last seen. */
  readonly pod: () => Pod;
  /** Takes what the API says now; older news than the last is ignored. */
  update(pod: Pod): void;
  /** The object is gone from the API: what still runs is killed. */
  vanish(): void;
  /** Does what is to be done now; answers in how many milliseconds to look again, if time alone matters. */
  sync(): Promise<number | undefined>;
  /** Something that the pod refers to has changed. */
  refresh(): void;
  containerEnded(id: string): void;
  /** The present (or previous) container of a name, for logs and commands. */
  containerId(name: string, previous?: boolean): string | undefined;
  isGone(): boolean;
  /** Stops watching; what runs, runs on. */
  detach(): void;
}

/** How long after a failed volume it is tried again, when nothing has changed. */
const volumeRetryMs = 10_000;

export function createPodWorker(deps: PodDeps, first: Pod, poke: () => void): PodWorker {
  const { runtime, client, clock, events, log } = deps;
  const uid = first.metadata.uid ?? "";
  const podFolder = podFolderOf(deps, uid);
  const tracks = new Map<string, Track>();
  const tokens = createPodTokens(deps, first);
  let pod = first;
  let sandbox: Sandbox | undefined;
  let volumesReady = false;
  let published = "";
  let finished: Decision["finished"];
  let failure: { reason: string; message: string } | undefined;
  let ending: Promise<void> | undefined;
  let endingGrace = Infinity;
  let vanished = false;
  let gone = false;

  const initContainers = () => pod.spec.initContainers ?? [];
  const allContainers = () => [...initContainers(), ...pod.spec.containers];
  const trackOf = (name: string): Track => {
    const track = tracks.get(name) ?? createTrack(name);
    tracks.set(name, track);
    return track;
  };
  const now = () => clock.now();
  adopt();

  function adopt(): void {
    const own = runtime.listSandboxes().filter(({ config }) => config.uid === uid);
    sandbox = own.filter(({ state }) => state === "ready").sort((a, b) => b.createdAt - a.createdAt)[0];
    const ids = new Set(own.map(({ id }) => id));
    const containers = runtime.listContainers().filter(({ sandboxId }) => ids.has(sandboxId));
    for (const container of allContainers()) {
      const track = trackOf(container.name);
      adoptTrack(
        track,
        containers.filter(({ config }) => config.name === container.name),
      );
      if (track.state !== "running") continue;
      keepStanding(track);
      watchOver(container, track);
    }
    volumesReady = sandbox !== undefined && containers.length > 0;
    if (sandbox === undefined) endStranded(own.map(({ id }) => id));
    const { phase } = pod.status ?? {};
    if (phase === "Succeeded" || phase === "Failed") finished = phase;
  }

  /** Containers whose network is gone are of no use: they end, and start again in a new one. */
  function endStranded(ids: readonly string[]): void {
    const isRunning = (id: string) =>
      runtime.listContainers().some((one) => one.sandboxId === id && one.state === "running");
    for (const id of ids.filter((one) => isRunning(one))) {
      runtime.stopPodSandbox(id).catch((error: unknown) => {
        log.warn({ pod: pod.metadata.name, error: String(error) }, "a pod without its network could not be stopped");
      });
    }
  }

  /** An adopted container stays as ready as it was, until its probes say otherwise: no endpoint goes and comes back. */
  function keepStanding(track: Track): void {
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    const known = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === track.name);
    if (known?.containerID !== `fairlead://${track.id}`) return;
    track.ready = known.ready;
    track.started = known.started ?? false;
  }

  /** Probes, once a container runs. */
  function watchOver(container: Container, track: Track): void {
    const id = track.id;
    track.stopProbes = startProbing({
      deps,
      pod,
      container,
      track,
      address: sandbox?.address ?? deps.node.address,
      changed: poke,
      unhealthy(message) {
        if (track.id !== id || track.state !== "running" || ending !== undefined) return;
        events.record(
          pod,
          "Normal",
          "Killing",
          `Container ${container.name} ${message}, will be restarted`,
          container.name,
        );
        const grace = container.livenessProbe?.terminationGracePeriodSeconds ?? graceOf(pod);
        stopSoon([container.name], grace);
      },
    });
  }

  function stop(names: readonly string[], graceSeconds: number): Promise<void> {
    const running = allContainers().filter(({ name }) => names.includes(name) && trackOf(name).state === "running");
    return stopContainers({ deps, pod, containers: running, graceSeconds, address: sandbox?.address ?? "", trackOf });
  }

  async function ensureSandbox(): Promise<Sandbox> {
    if (sandbox !== undefined) return sandbox;
    const { name, namespace = "default" } = pod.metadata;
    const attempt = runtime.listSandboxes().filter(({ config }) => config.uid === uid).length;
    const config = {
      namespace,
      name,
      uid,
      attempt,
      hostname: pod.spec.hostNetwork ? deps.node.name : hostnameOf(name, pod.spec),
      hostNetwork: pod.spec.hostNetwork ?? false,
    };
    const made = await deps.lanes(() => runtime.runPodSandbox(config));
    writePodFiles(deps, pod, made.address);
    sandbox = made;
    return made;
  }

  async function ensureVolumes(address: string): Promise<boolean> {
    if (volumesReady) return true;
    await tokens.renew();
    const outcome = await prepareVolumes(pod, podFolder, sourcesOf(deps, pod, address, tokens));
    if (!outcome.ok) events.record(pod, "Warning", "FailedMount", outcome.message);
    volumesReady = outcome.ok;
    return outcome.ok;
  }

  /** New tokens before the old ones end. Answers when to look again; also after a failure, while the old ones last. */
  async function refreshTokens(): Promise<number | undefined> {
    if (!volumesReady || finished !== undefined) return undefined;
    if (tokens.dueIn() !== 0) return tokens.dueIn();
    try {
      await tokens.renew();
    } catch (error) {
      events.record(pod, "Warning", "FailedMount", `a new token could not be had: ${String(error)}`);
      return volumeRetryMs;
    }
    worker.refresh();
    return tokens.dueIn();
  }

  async function startOne(container: Container, sandbox: Sandbox): Promise<number | undefined> {
    const track = trackOf(container.name);
    const stale = track.previousId;
    const outcome = await deps.lanes(() => launch(deps, pod, container, { sandbox, attempt: track.starts }));
    if (outcome.result === "waiting") {
      if (track.waiting?.message !== outcome.message) {
        events.record(pod, "Warning", "Failed", outcome.message, container.name);
      }
      track.waiting = { reason: outcome.reason, message: outcome.message };
      return outcome.retryMs;
    }
    track.waiting = undefined;
    track.lastEnding = track.ending ?? track.lastEnding;
    track.previousId = track.id ?? track.previousId;
    track.ending = undefined;
    track.starts += 1;
    track.id = outcome.id;
    if (stale !== undefined && stale !== track.previousId) await runtime.removeContainer(stale);
    if (outcome.result === "failed") {
      const time = now();
      const message = `failed to start container: ${outcome.message}`;
      events.record(pod, "Warning", "Failed", `Error: ${message}`, container.name);
      const ends = { startedAt: time, finishedAt: time, containerId: outcome.id ?? "" };
      noteEnding(track, { exitCode: 128, reason: "StartError", message, ...ends });
      return undefined;
    }
    track.state = "running";
    track.startedAt = runtime.container(outcome.id)?.startedAt ?? now();
    events.record(pod, "Normal", "Started", `Started container ${container.name}`, container.name);
    afterStart(container, track, outcome.id, sandbox.address);
    worker.containerEnded(outcome.id);
    return undefined;
  }

  /** The postStart hook first: probes begin, and the container counts as running well, when it has passed. */
  function afterStart(container: Container, track: Track, id: string, address: string): void {
    const hook = container.lifecycle?.postStart;
    if (hook === undefined) return watchOver(container, track);
    const exec = (command: readonly string[], timeoutMs: number) => runtime.execSync(id, command, timeoutMs);
    void check(hook, { container, address, exec }, graceOf(pod) * 1000).then(({ ok, message }) => {
      if (track.id !== id || track.state !== "running") return;
      if (ok) return watchOver(container, track);
      events.record(pod, "Warning", "FailedPostStartHook", `PostStartHook failed: ${message}`, container.name);
      stopSoon([container.name], graceOf(pod));
    });
  }

  const decision = (): Decision => {
    const next = decide(pod.spec, (name) => standingOf(trackOf(name)), now());
    return finished === undefined ? next : { ...next, start: [], backingOff: new Map(), wakeAt: undefined, finished };
  };

  async function publish(current: Decision): Promise<void> {
    const status: PodStatus = {
      ...compileStatus({
        pod,
        viewOf: (name) => viewOf(trackOf(name)),
        decision: current,
        addresses: sandbox === undefined ? [] : allAddresses(deps.node, sandbox.address),
        hostAddresses: allAddresses(deps.node, deps.node.address),
        networkReady: sandbox?.state === "ready",
        now: now(),
      }),
      ...failure,
    };
    const text = JSON.stringify(status);
    if (text === published || vanished) return;
    const { name, namespace } = pod.metadata;
    try {
      const written = await client.patch(
        "Pod",
        { namespace, name },
        { metadata: { uid }, status },
        { subresource: "status" },
      );
      published = text;
      take(written);
    } catch (error) {
      // Gone, or another pod of the same name by now: the informer tells.
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  }

  function take(next: Pod): void {
    const isNewer = Number(next.metadata.resourceVersion) >= Number(pod.metadata.resourceVersion);
    if (next.metadata.uid !== uid || (!isNewer && Number(next.metadata.resourceVersion))) return;
    pod = next;
    if (pod.metadata.deletionTimestamp !== undefined) cutShort(pod.metadata.deletionGracePeriodSeconds ?? graceOf(pod));
  }

  /** A pod that is ending already gets less time than it was given first. */
  function cutShort(graceSeconds: number): void {
    if (ending === undefined || graceSeconds >= endingGrace) return;
    endingGrace = graceSeconds;
    stopSoon(
      allContainers().map(({ name }) => name),
      graceSeconds,
    );
  }

  function stopSoon(names: readonly string[], graceSeconds: number): void {
    stop(names, graceSeconds).catch((error: unknown) =>
      log.warn({ pod: pod.metadata.name, error: String(error) }, "a container could not be stopped"),
    );
  }

  async function end(graceSeconds: number): Promise<void> {
    const names = (sidecars: boolean) => allContainers().filter((one) => isSidecar(one) === sidecars);
    const deadline = clock.monotonic() + graceSeconds * 1000;
    for (const { name } of allContainers()) {
      if (trackOf(name).state === "running") {
        events.record(pod, "Normal", "Killing", `Stopping container ${name}`, name);
      }
    }
    if (graceSeconds > 0 && sandbox !== undefined) {
      await Promise.all(allAddresses(deps.node, sandbox.address).map(async (address) => deps.withdrawn?.(address)));
    }
    await stop(
      names(false).map(({ name }) => name),
      graceSeconds,
    );
    const left = Math.max(0, (deadline - clock.monotonic()) / 1000);
    await stop(
      names(true).map(({ name }) => name),
      Math.min(left, graceSeconds),
    );
    const mains = pod.spec.containers.map(({ name }) => trackOf(name));
    const isFailed = mains.some(({ ending }) => (ending?.exitCode ?? 0) !== 0);
    await publish({
      ...decision(),
      start: [],
      backingOff: new Map(),
      finished: isFailed ? "Failed" : "Succeeded",
    }).catch((error: unknown) =>
      log.debug({ pod: pod.metadata.name, error: String(error) }, "the last status was not written"),
    );
    for (const { id, config } of runtime.listSandboxes()) {
      if (config.uid !== uid) continue;
      await deps.lanes(async () => {
        await runtime.stopPodSandbox(id);
        await runtime.removePodSandbox(id);
      });
    }
    sandbox = undefined;
    await removePodFolder(podFolder);
  }

  /** Ends the pod once; a shorter grace that comes later cuts the time. */
  async function terminate(graceSeconds: number): Promise<void> {
    endingGrace = Math.min(endingGrace, graceSeconds);
    ending ??= end(graceSeconds);
    try {
      await ending;
    } catch (error) {
      ending = undefined;
      throw error;
    }
    if (!vanished) {
      const { name, namespace } = pod.metadata;
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      await client.delete("Pod", { namespace, name }, options).catch((error: unknown) => {
        if (!isApiError(error, "NotFound", "Conflict")) throw error;
      });
    }
    gone = true;
  }

  /** Starts what is to be started; answers when to look again. */
  async function advance(current: Decision): Promise<number | undefined> {
    const box = await ensureSandbox();
    if (!(await ensureVolumes(box.address))) return volumeRetryMs;
    const containers = allContainers().filter(({ name }) => current.start.includes(name));
    const waits = await Promise.all(containers.map((container) => startOne(container, box)));
    const known = waits.filter((ms) => ms !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  const worker: PodWorker = {
    uid,
    pod: () => pod,
    update: take,
    vanish() {
      vanished = true;
      cutShort(0);
    },
    async sync() {
      if (gone) return undefined;
      const isDeleted = pod.metadata.deletionTimestamp !== undefined;
      if (vanished || isDeleted) {
        await terminate(vanished ? 0 : (pod.metadata.deletionGracePeriodSeconds ?? graceOf(pod)));
        return undefined;
      }
      const deadline = deadlineIn(pod, now());
      if (deadline !== undefined && deadline <= 0 && finished === undefined) {
        failure = {
          reason: "DeadlineExceeded",
          message: "Pod was active on the node longer than the specified deadline",
        };
        finished = "Failed";
      }
      let current = decision();
      let again: number | undefined;
      if (current.start.length > 0) {
        again = await advance(current);
        current = decision();
        // What ran to its end at once is looked at again, as is what the init containers were holding back.
        if (current.start.some((name) => trackOf(name).waiting === undefined) && volumesReady) again = 0;
      }
      if (current.finished !== undefined) {
        finished = current.finished;
        await stop(
          allContainers().map(({ name }) => name),
          graceOf(pod),
        );
        if (sandbox?.state === "ready") {
          await runtime.stopPodSandbox(sandbox.id);
          sandbox = { ...sandbox, state: "stopped" };
        }
      }
      await publish(current);
      const wakeIn = current.wakeAt === undefined ? undefined : current.wakeAt - now();
      const waits = [again, wakeIn, deadlineIn(pod, now()), await refreshTokens()];
      const known = waits.filter((ms) => ms !== undefined);
      return known.length === 0 ? undefined : Math.max(0, Math.min(...known));
    },
    refresh() {
      if (ending !== undefined || !volumesReady || sandbox === undefined) return;
      try {
        refreshVolumes(pod, podFolder, sourcesOf(deps, pod, sandbox.address, tokens));
      } catch (error) {
        // A full disk, or paths that stand in each other's way: the old files stay.
        events.record(pod, "Warning", "FailedMount", `volumes could not be written anew: ${String(error)}`);
      }
    },
    containerEnded(id) {
      const track = [...tracks.values()].find((one) => one.id === id && one.state === "running");
      const info = runtime.container(id);
      if (track === undefined || info?.state !== "exited") return;
      const container = allContainers().find(({ name }) => name === track.name);
      noteEnding(track, withLogTail(endingOf(info), container, runtime.logPath(id)));
      poke();
    },
    containerId: (name, previous = false) => (previous ? tracks.get(name)?.previousId : tracks.get(name)?.id),
    isGone: () => gone,
    detach() {
      for (const track of tracks.values()) track.stopProbes();
    },
  };
  return worker;
}

function graceOf(pod: Pod): number {
  return pod.spec.terminationGracePeriodSeconds ?? 30;
}
