import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { ContainerConfig, ContainerInfo, Sandbox, SandboxConfig } from "../contract.ts";
import { bundleOf, type Layout } from "./layout.ts";

/** What is written down about a sandbox before anything of it is made. */
export interface SandboxRecord {
  readonly id: string;
  /** The node it belongs to: several nodes share the folder. */
  readonly node: string;
  readonly config: SandboxConfig;
  readonly netns: string;
  readonly address: string;
  /** The node's end of the pod's cable; absent with the node's own network. */
  readonly device?: string;
  /** `stopped` as long as its network is not whole, so that nobody adopts one that is half made. */
  readonly state: Sandbox["state"];
  readonly createdAt: number;
}

export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly node: string;
  readonly config: ContainerConfig;
  readonly createdAt: number;
  readonly startedAt?: number;
}

/** A reader sees the old text or the new one, never half of it. */
export function writeWhole(path: string, text: string, mode = 0o600): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

export function makeFolders(layout: Layout): void {
  for (const folder of [layout.sandboxes, layout.containers, layout.exits, layout.pods, layout.programs]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  for (const folder of [layout.runcRoot, layout.sockets]) mkdirSync(folder, { recursive: true, mode: 0o700 });
}

export function writeSandbox(layout: Layout, record: SandboxRecord): void {
  writeWhole(join(layout.sandboxes, `${record.id}.json`), JSON.stringify(record));
}

export function writeContainer(layout: Layout, record: ContainerRecord): void {
  writeWhole(bundleOf(layout, record.id).state, JSON.stringify(record));
}

/** All sandboxes on disk; a file that cannot be read is skipped, and its leftovers are found by their names. */
export function readSandboxes(layout: Layout): SandboxRecord[] {
  return namesIn(layout.sandboxes)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => (readJson(join(layout.sandboxes, name)) as SandboxRecord | undefined) ?? []);
}

export function readContainers(layout: Layout): ContainerRecord[] {
  return namesIn(layout.containers).flatMap(
    (id) => (readJson(bundleOf(layout, id).state) as ContainerRecord | undefined) ?? [],
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** How a container stands now, from what its shim has left on disk and from the process table. */
export function inspectContainer(layout: Layout, record: ContainerRecord): ContainerInfo {
  const files = bundleOf(layout, record.id);
  const { node: _node, ...facts } = record;
  // Looked at first: a shim that ends has written how the container ended.
  const shimLives = hasShim(layout, record.id);
  const exit = readExit(join(layout.exits, record.id));
  if (exit !== undefined) {
    return {
      ...facts,
      state: "exited",
      ...exit,
      outOfMemory: isFile(files.oom),
      lastWords: readStart(files.lastWords, lastWordsLimit),
    };
  }
  const pid = Number(readText(files.pid));
  if (!shimLives) {
    // The shim was killed, or the machine was started anew: nobody can tell how the container ended.
    return {
      ...facts,
      state: "exited",
      exitCode: 137,
      finishedAt: record.startedAt ?? record.createdAt,
      lastWords: "",
    };
  }
  return { ...facts, state: record.startedAt === undefined ? "created" : "running", pid };
}

/**
 * Whether the program of a container was ever started: an agent that dies in between leaves a container whose first
 * process is runc's own, waiting for the word.
 */
export function wasStarted(layout: Layout, record: ContainerRecord): boolean {
  if (record.startedAt === undefined) return false;
  const command = readText(`/proc/${Number(readText(bundleOf(layout, record.id).pid))}/cmdline`) ?? "";
  return !/(^|\/)runc\0(.*\0)?init\0/.test(command);
}

/** Whether a process is still runc's, about to become the program: its signal handlers go with it, and end it until then. */
export function isLaunching(pid: number): boolean {
  return isRuncs(readText(`/proc/${pid}/status`) ?? "");
}

const isRuncs = (status: string) => /^Name:\s*runc:/m.test(status);

/**
 * Whether a process has a handler for SIGTERM. The first process of a container does not get a signal it has none for:
 * one that has just started may not have come that far.
 */
export function hearsTermination(pid: number): boolean {
  const status = readText(`/proc/${pid}/status`) ?? "";
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  // Of one reading: the handlers of one moment and the name of the next would make it hear what it cannot.
  return !isRuncs(status) && (Number.parseInt(caught.slice(-4), 16) & (1 << 14)) !== 0;
}

function hasShim(layout: Layout, id: string): boolean {
  return isShimOf(Number(readText(bundleOf(layout, id).conmonPid)), id);
}

/** Whether the container's shim is gone without a word of how it ended: its processes may still be there. */
export function isUnwatched(layout: Layout, id: string): boolean {
  return !hasShim(layout, id) && readExit(join(layout.exits, id)) === undefined;
}

/** Whether `pid` is the shim of this container: numbers are used again, so the command line must name the id. */
export function isShimOf(pid: number, id: string): boolean {
  return pid > 0 && (readText(`/proc/${pid}/cmdline`)?.includes(id) ?? false);
}

function readExit(path: string): { exitCode: number; finishedAt: number } | undefined {
  const text = readText(path)?.trim();
  if (text === undefined || text === "") return undefined;
  const written = statSync(path, { throwIfNoEntry: false });
  return written === undefined ? undefined : { exitCode: Number(text), finishedAt: Math.round(written.mtimeMs) };
}

/** What is taken of a termination message (`MaxContainerTerminationMessageLength`). */
const lastWordsLimit = 4096;

/** The first bytes of a file that a program may have made as large as it likes. */
function readStart(path: string, bytes: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const block = Buffer.alloc(bytes);
    return block.toString("utf8", 0, readSync(file, block, 0, bytes, 0));
  } finally {
    closeSync(file);
  }
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
