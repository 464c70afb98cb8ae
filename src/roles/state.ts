import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { UpOptions } from "./options.ts";

/** Where everything of one stand-alone cluster lies on disk. */
export interface DataPaths {
  readonly root: string;
  readonly store: string;
  readonly certificates: string;
  readonly kubeconfig: string;
  readonly agentSocket: string;
  readonly nodes: string;
  readonly state: string;
  /** Held by the process that runs the cluster. */
  readonly lock: string;
  readonly serverLog: string;
  readonly agentLog: string;
}

export function dataPaths(root: string): DataPaths {
  return {
    root,
    store: join(root, "store.db"),
    certificates: join(root, "pki"),
    kubeconfig: join(root, "kubeconfig"),
    agentSocket: join(root, "agent.sock"),
    nodes: join(root, "nodes"),
    state: join(root, "state.json"),
    lock: join(root, "lock"),
    serverLog: join(root, "server.log"),
    agentLog: join(root, "agent.log"),
  };
}

/** A short name for the cluster of this folder: part of every namespace, link and rule name it makes. */
export function clusterId(dataDir: string): string {
  return createHash("sha256").update(dataDir).digest("hex").slice(0, 4);
}

/** What `status` and `down` need to know about the run that is or was there. */
export interface RunState {
  readonly process: ProcessId;
  readonly options: UpOptions;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly withNodes: boolean;
  readonly phase: "starting" | "running" | "stopped";
}

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat; absent where there is no /proc. */
  readonly startTime?: string;
}

export function processId(pid: number): ProcessId {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? { pid } : { pid, startTime };
}

export function isAlive({ pid, startTime }: ProcessId): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  if (startTime === undefined) return true;
  const fields = statOf(pid);
  // A zombie has ended; its parent has only not looked yet.
  return fields[19] === startTime && fields[0] !== "Z";
}

function startTimeOf(pid: number): string | undefined {
  return statOf(pid)[19];
}

/** The fields of /proc/PID/stat from the third on: the program's name before them may hold spaces and parentheses. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

export function readState(paths: DataPaths): RunState | undefined {
  try {
    return JSON.parse(readFileSync(paths.state, "utf8")) as RunState;
  } catch {
    return undefined;
  }
}

/** Written beside and renamed, so that a crash leaves the old or the new state, never half of one. */
export function writeState(paths: DataPaths, state: RunState): void {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  const next = `${paths.state}.next`;
  writeFileSync(next, JSON.stringify(state, undefined, 2), { mode: 0o600 });
  renameSync(next, paths.state);
}

export function removeState(paths: DataPaths): void {
  rmSync(paths.state, { force: true });
}
