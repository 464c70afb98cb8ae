import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, rmdirSync, rmSync, watch, writeFileSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { TopologyNode } from "../../network/plan.ts";
import { namespacesWith } from "../../network/apply.ts";
import { run } from "../../run.ts";
import {
  ContainerStartError,
  type ContainerConfig,
  type ContainerInfo,
  type RuntimeService,
  type Sandbox,
  type SandboxConfig,
} from "../contract.ts";
import { cableNames, nextAddress, plugIn, podNetnsPrefix, unplug } from "./cable.ts";
import { bundleOf, type Layout } from "./layout.ts";
import { findProgram } from "./program.ts";
import {
  hearsTermination,
  isLaunching,
  inspectContainer,
  isUnwatched,
  isShimOf,
  makeFolders,
  readContainers,
  readSandboxes,
  readText,
  wasStarted,
  writeContainer,
  writeSandbox,
  type ContainerRecord,
  type SandboxRecord,
} from "./record.ts";
import { cgroupFolders, listControllers } from "./cgroup.ts";
import { discard, lastProblem, runcArguments, startShim } from "./shim.ts";
import { compileSpec } from "./spec.ts";

export interface ProcessRuntimeOptions {
  readonly layout: Layout;
  readonly node: TopologyNode;
  readonly log: Log;
  readonly clock: Clock;
}

/** The folders right below `/`; links go to folders that are hidden or shown by their own names. */
function readTopFolders(): string[] {
  const entries = readdirSync("/", { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** How long a killed container may take to be gone before something is wrong. */
const killLimitMs = 10_000;
/** How long, and how often, it is looked whether a program that has just started can hear SIGTERM by now. */
const hearingLimitMs = 3_000;
const hearingCheckMs = 25;
/** How often containers are looked at whose shim may have died without leaving an exit code. */
const shimCheckMs = 5_000;

/**
 * Pods as processes of this machine: conmon keeps each container, runc makes it, its root is an overlay of the
 * machine's own file system. What an earlier agent left of this node is found on disk and adopted.
 */
export function createProcessRuntime({ layout, node, log, clock }: ProcessRuntimeOptions): RuntimeService {
  makeFolders(layout);
  const programs = { conmon: findProgram("conmon") ?? "conmon", runc: findProgram("runc") ?? "runc" };
  const sandboxes = new Map<string, SandboxRecord>();
  const records = new Map<string, ContainerRecord>();
  const containers = new Map<string, ContainerInfo>();
  const exitHandlers = new Set<(container: ContainerInfo) => void>();
  const exitWaiters = new Map<string, Set<() => void>>();
  const controllers = listControllers();
  /** Addresses of pods whose network is being made. */
  const reserved = new Set<string>();
  const halfMade: string[] = [];
  let lastAddress: string | undefined;

  adopt();
  const watcher = watch(layout.exits, (_event, name) => {
    if (name !== null) refresh(name);
  });
  watcher.on("error", (error) => log.warn({ error: error.message }, "exit codes are found by polling only"));
  let stopPolling = clock.after(shimCheckMs, poll);

  function adopt(): void {
    const real = new Set(namespacesWith(podNetnsPrefix(layout.clusterId)).real);
    for (const record of readSandboxes(layout)) {
      if (record.node !== node.name) continue;
      const names = cableNames(layout.clusterId, record.id);
      const isThere = record.config.hostNetwork || real.has(names.netnsName);
      sandboxes.set(record.id, isThere ? record : { ...record, state: "stopped" });
      if (isThere && record.state === "stopped" && !record.config.hostNetwork) void unplug(names);
    }
    for (const record of readContainers(layout)) {
      if (record.node !== node.name) continue;
      records.set(record.id, record);
      if (isUnwatched(layout, record.id)) void endUnwatched(record.id);
      if (wasStarted(layout, record)) containers.set(record.id, inspectContainer(layout, record));
      else halfMade.push(record.id);
    }
    const used = new Set([...records.values()].map(({ sandboxId }) => sandboxId));
    for (const { id, state } of sandboxes.values()) {
      if (state === "stopped" && !used.has(id)) forgetSandbox(id);
    }
  }

  function forgetSandbox(id: string): void {
    sandboxes.delete(id);
    rmSync(join(layout.sandboxes, `${id}.json`), { force: true });
  }

  function poll(): void {
    for (const { id, state } of containers.values()) if (state !== "exited") refresh(id);
    stopPolling = clock.after(shimCheckMs, poll);
  }

  function refresh(id: string): void {
    const record = records.get(id);
    const before = containers.get(id);
    if (record === undefined || before === undefined || before.state === "exited") return;
    const after = inspectContainer(layout, record);
    if (after.state !== "exited") containers.set(id, after);
    else if (isUnwatched(layout, id)) void endUnwatched(id).then(() => tellExit(id, after));
    else tellExit(id, after);
  }

  /** Ends what a killed shim has left running: the container that comes next wants its ports. */
  async function endUnwatched(id: string): Promise<void> {
    const { code } = await run(programs.runc, runcArguments(layout, "kill", id, "KILL"));
    if (code === 0) log.warn({ container: id }, "the container's conmon is gone, so the container was ended");
  }

  function tellExit(id: string, after: ContainerInfo): void {
    if (containers.get(id)?.state === "exited" || !records.has(id)) return;
    containers.set(id, after);
    for (const resolve of exitWaiters.get(id) ?? []) resolve();
    exitWaiters.delete(id);
    for (const handler of exitHandlers) handler(after);
  }

  /** True when it has ended, false when `ms` went by first. */
  function ended(id: string, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (containers.get(id)?.state !== "running") return resolve(true);
      const waiters = exitWaiters.get(id) ?? new Set();
      exitWaiters.set(id, waiters);
      const done = () => {
        cancel();
        resolve(true);
      };
      const cancel = clock.after(ms, () => {
        waiters.delete(done);
        resolve(false);
      });
      waiters.add(done);
    });
  }

  /** Signals the container's init, if that is still the process it was. */
  function signal(id: string, name: "SIGTERM" | "SIGKILL"): void {
    const files = bundleOf(layout, id);
    const pid = Number(readText(files.pid));
    if (!(pid > 0) || !isShimOf(Number(readText(files.conmonPid)), id)) return;
    try {
      process.kill(pid, name);
    } catch {
      // It has just ended.
    }
  }

  /** Sends SIGTERM, and once more as soon as a program that could not hear it yet can. */
  function terminate(id: string, until: number): void {
    const pid = containers.get(id)?.pid ?? 0;
    const hears = hearsTermination(pid);
    if (hears || !isLaunching(pid)) signal(id, "SIGTERM");
    if (hears) return;
    const again = () => {
      if (containers.get(id)?.state !== "running" || clock.monotonic() > until) return;
      if (hearsTermination(pid)) signal(id, "SIGTERM");
      else clock.after(hearingCheckMs, again);
    };
    clock.after(hearingCheckMs, again);
  }

  function required(id: string): ContainerRecord {
    const record = records.get(id);
    if (record === undefined) throw new Error(`there is no container ${id}`);
    return record;
  }

  function removeCgroups(podUid: string): void {
    for (const folder of cgroupFolders(layout, podUid, controllers)) {
      try {
        rmdirSync(folder);
      } catch {
        // Not made, or still with a container of the pod's next sandbox.
      }
    }
  }

  const toSandbox = (record: SandboxRecord): Sandbox => ({
    id: record.id,
    config: record.config,
    netns: record.netns,
    address: record.address,
    state: record.state,
    createdAt: record.createdAt,
  });

  const runtime: RuntimeService = {
    async runPodSandbox(config: SandboxConfig) {
      const id = randomBytes(6).toString("hex");
      const names = cableNames(layout.clusterId, id);
      const inUse = [...sandboxes.values()].filter(({ config, state }) => !config.hostNetwork && state === "ready");
      const taken = new Set([...reserved, ...inUse.map(({ address }) => address)]);
      const address = config.hostNetwork ? node.address : nextAddress(node.podCidr, taken, lastAddress);
      if (address === undefined) throw new Error(`${node.name} has no free pod address in ${node.podCidr}`);
      const record: SandboxRecord = {
        id,
        node: node.name,
        config,
        address,
        netns: config.hostNetwork ? node.netns : names.netns,
        ...(config.hostNetwork ? {} : { device: names.device }),
        state: "stopped",
        createdAt: clock.now(),
      };
      sandboxes.set(id, record);
      writeSandbox(layout, record);
      if (!config.hostNetwork) {
        lastAddress = address;
        reserved.add(address);
        try {
          await plugIn(node, names, address);
        } catch (error) {
          forgetSandbox(id);
          throw error;
        } finally {
          reserved.delete(address);
        }
      }
      const whole: SandboxRecord = { ...record, state: "ready" };
      sandboxes.set(id, whole);
      writeSandbox(layout, whole);
      return toSandbox(whole);
    },

    async stopPodSandbox(id) {
      const record = sandboxes.get(id);
      if (record === undefined) return;
      const running = [...containers.values()].filter((c) => c.sandboxId === id && c.state !== "exited");
      await Promise.all(running.map((container) => runtime.stopContainer(container.id, 0)));
      if (!record.config.hostNetwork) await unplug(cableNames(layout.clusterId, id));
      const stopped: SandboxRecord = { ...record, state: "stopped" };
      sandboxes.set(id, stopped);
      writeSandbox(layout, stopped);
    },

    async removePodSandbox(id) {
      const record = sandboxes.get(id);
      if (record === undefined) return;
      if (record.state === "ready") await runtime.stopPodSandbox(id);
      const own = [...containers.values()].filter(({ sandboxId }) => sandboxId === id);
      await Promise.all(own.map((container) => runtime.removeContainer(container.id)));
      removeCgroups(record.config.uid);
      forgetSandbox(id);
    },

    async createContainer(sandboxId: string, config: ContainerConfig) {
      const sandbox = sandboxes.get(sandboxId);
      if (sandbox === undefined) throw new Error(`there is no sandbox ${sandboxId}`);
      const id = randomBytes(16).toString("hex");
      const files = bundleOf(layout, id);
      const record: ContainerRecord = { id, sandboxId, node: node.name, config, createdAt: clock.now() };
      for (const folder of [files.folder, files.upper, files.work, files.root]) mkdirSync(folder, { mode: 0o755 });
      writeContainer(layout, record);
      for (const { path, text } of config.files) {
        mkdirSync(join(files.upper, dirname(path)), { recursive: true, mode: 0o755 });
        writeFileSync(join(files.upper, path), text, { mode: 0o644 });
      }
      writeFileSync(files.lastWords, "");
      chmodSync(files.lastWords, 0o666);
      const spec = compileSpec({
        config,
        layout,
        id,
        podUid: sandbox.config.uid,
        hostname: sandbox.config.hostname,
        netns: sandbox.netns,
        root: files.root,
        topFolders: readTopFolders(),
        lastWords: files.lastWords,
      });
      writeFileSync(files.config, JSON.stringify(spec), { mode: 0o600 });
      records.set(id, record);
      try {
        await startShim(layout, id, config, programs);
      } catch (error) {
        await runtime.removeContainer(id);
        throw error;
      }
      containers.set(id, { ...inspectContainer(layout, record), state: "created" });
      return id;
    },

    async startContainer(id) {
      const record = { ...required(id), startedAt: clock.now() };
      records.set(id, record);
      writeContainer(layout, record);
      const { code, stderr } = await run(programs.runc, runcArguments(layout, "start", id));
      if (code !== 0) {
        signal(id, "SIGKILL");
        throw new ContainerStartError(stderr.trim() || `runc start ended with ${code}`);
      }
      const known = containers.get(id);
      if (known?.state === "created") containers.set(id, { ...known, state: "running", startedAt: record.startedAt });
      // A short program may have ended before it was known to run.
      refresh(id);
    },

    async stopContainer(id, graceSeconds) {
      const info = containers.get(id);
      if (info === undefined || info.state === "exited") return;
      if (info.state === "running" && graceSeconds > 0) {
        terminate(id, clock.monotonic() + Math.min(graceSeconds * 1000, hearingLimitMs));
        if (await ended(id, graceSeconds * 1000)) return;
      }
      signal(id, "SIGKILL");
      if (info.state === "created" || (await ended(id, killLimitMs))) return;
      log.warn({ container: id, name: info.config.name }, "the container does not end after SIGKILL");
    },

    async removeContainer(id) {
      if (!records.has(id)) return;
      await discard(layout, id, programs.runc, !containers.has(id));
      for (const controller of controllers) {
        const podUid = sandboxes.get(records.get(id)?.sandboxId ?? "")?.config.uid ?? "none";
        try {
          rmdirSync(join("/sys/fs/cgroup", controller, layout.cgroup, podUid, id));
        } catch {
          // runc has removed it.
        }
      }
      await rm(bundleOf(layout, id).folder, { recursive: true, force: true, maxRetries: 3 });
      await rm(join(layout.exits, id), { force: true });
      await rm(join(layout.sockets, id), { recursive: true, force: true });
      containers.delete(id);
      records.delete(id);
    },

    listSandboxes: () => [...sandboxes.values()].map((record) => toSandbox(record)),
    listContainers: () => [...containers.values()],
    container: (id) => containers.get(id),

    async execSync(id, command, timeoutMs) {
      const pidFile = join(bundleOf(layout, id).folder, `exec-${randomBytes(4).toString("hex")}`);
      const args = runcArguments(layout, "exec", "--pid-file", pidFile, id, ...command);
      let timedOut = false;
      const cancel = clock.after(timeoutMs, () => {
        timedOut = true;
        const pid = Number(readText(pidFile));
        try {
          if (pid > 0) process.kill(pid, "SIGKILL");
        } catch {
          // It ended at the same moment.
        }
      });
      const result = await run(programs.runc, args, { timeoutMs: timeoutMs + 2_000, limitBytes: 16 << 10 });
      cancel();
      await rm(pidFile, { force: true });
      return { exitCode: result.code, stdout: result.stdout, stderr: result.stderr, timedOut };
    },

    execArguments(id, command, terminal) {
      required(id);
      const logFile = join(bundleOf(layout, id).folder, `exec-${randomBytes(4).toString("hex")}.log`);
      // Programs that draw ask for the kind of terminal, as they do on any node.
      const flags = terminal ? ["--tty", "--env", "TERM=xterm"] : [];
      const logging = ["--log", logFile, "--log-format", "json"];
      const args = runcArguments(layout, ...logging, "exec", ...flags, id, ...command);
      const problem = () => {
        const text = readText(logFile);
        rmSync(logFile, { force: true });
        return lastProblem(text ?? "");
      };
      return { program: programs.runc, args, problem };
    },

    logPath: (id) => bundleOf(layout, id).log,
    attachPath: (id) => join(bundleOf(layout, id).folder, "attach"),

    async resize(id, { columns, rows }) {
      const file = await open(bundleOf(layout, id).window, "r+");
      await file.write(`${rows} ${columns}\n`);
      await file.close();
    },

    onExit(handler) {
      exitHandlers.add(handler);
      return () => exitHandlers.delete(handler);
    },

    close() {
      watcher.close();
      stopPolling();
      exitHandlers.clear();
      return Promise.resolve();
    },
  };
  for (const id of halfMade) {
    runtime.removeContainer(id).catch((error: unknown) => {
      log.warn({ container: id, error: String(error) }, "a container that was never started could not be removed");
    });
  }
  return runtime;
}
