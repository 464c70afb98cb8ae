import type { ContainerInfo } from "../runtime/contract.ts";
import { goodRunMs, type Standing } from "./decide.ts";
import type { ContainerView, Ending } from "./status.ts";

/** What the agent remembers of one container of a pod, over all its starts. */
export interface Track {
  readonly name: string;
  id?: string;
  /** The container before the present one: its log is what `--previous` shows. */
  previousId?: string;
  state: "none" | "running" | "exited";
  startedAt?: number;
  ending?: Ending;
  lastEnding?: Ending;
  waiting?: { reason: string; message: string };
  /** How often it was started; 0 before the first time. */
  starts: number;
  crashes: number;
  started: boolean;
  ready: boolean;
  stopProbes: () => void;
}

export function createTrack(name: string): Track {
  return { name, state: "none", starts: 0, crashes: 0, started: false, ready: false, stopProbes: () => {} };
}

export function endingOf(info: ContainerInfo): Ending {
  const exitCode = info.exitCode ?? 137;
  const reason = info.outOfMemory ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error";
  const startedAt = info.startedAt ?? info.createdAt;
  return {
    exitCode,
    reason,
    message: info.lastWords ?? "",
    startedAt,
    finishedAt: info.finishedAt ?? startedAt,
    containerId: info.id,
  };
}

/** Notes the end of the present container. */
export function noteEnding(track: Track, ending: Ending): void {
  track.stopProbes();
  track.stopProbes = () => {};
  track.crashes = ending.finishedAt - ending.startedAt >= goodRunMs ? 1 : track.crashes + 1;
  track.state = "exited";
  track.ending = ending;
  track.ready = false;
  track.started = false;
}

/** Takes over what an earlier agent has left: the newest container, and the one before. */
export function adoptTrack(track: Track, containers: readonly ContainerInfo[]): void {
  const byAge = [...containers].sort((a, b) => b.config.attempt - a.config.attempt || b.createdAt - a.createdAt);
  const [newest, before] = byAge;
  if (newest === undefined) return;
  track.id = newest.id;
  track.starts = newest.config.attempt + 1;
  track.crashes = newest.config.attempt;
  track.state = newest.state === "exited" ? "exited" : "running";
  track.startedAt = newest.startedAt;
  if (newest.state === "exited") noteEnding(track, endingOf(newest));
  if (before !== undefined) {
    track.previousId = before.id;
    track.lastEnding = endingOf(before);
  }
}

export function standingOf(track: Track): Standing {
  return {
    state: track.state,
    exitCode: track.ending?.exitCode ?? 0,
    finishedAt: track.ending?.finishedAt ?? 0,
    crashes: track.crashes,
    started: track.started,
  };
}

export function viewOf(track: Track): ContainerView {
  return {
    name: track.name,
    state: track.state,
    containerId: track.id,
    startedAt: track.startedAt,
    ending: track.state === "exited" ? track.ending : undefined,
    lastEnding: track.lastEnding,
    waiting: track.state === "running" ? undefined : track.waiting,
    restartCount: Math.max(0, track.starts - 1),
    started: track.started,
    ready: track.ready,
  };
}
