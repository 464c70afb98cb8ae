import { fork } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import type { UpOptions } from "#roles/options.ts";
import { RoleError, type Report, type ReportEvent } from "#roles/report.ts";
import { dataPaths } from "#roles/state.ts";
import { startUp, type RunningUp } from "#roles/up.ts";
import { createRenderer, styleFor } from "../render.ts";

interface UpOutput {
  detach: boolean;
  json: boolean;
}

/** Set for the process that goes on in the background: it reports over its channel. */
const detachedMark = "FAIRLEAD_DETACHED";

/** The exit code: 0, or 1 when a manifest was refused or not served in time, or 130 when it was interrupted. */
export async function runUp(options: UpOptions, { detach, json }: UpOutput): Promise<number> {
  const render = createRenderer(styleFor(process.stdout, json), (text) => process.stdout.write(text));
  if (detach) return runDetached(options, render);
  if (process.env[detachedMark] !== undefined) return runInBackground(options);
  return runUntilSignal(options, render, () => {
    if (!json) process.stdout.write("Ctrl-C stops it.\n");
  });
}

const interrupted = 130;

/**
 * Runs the cluster until a signal, also one that comes while it starts, and stops it then. A second signal ends the
 * process at once.
 */
async function runUntilSignal(
  options: UpOptions,
  report: Report,
  started: (running: RunningUp) => void,
): Promise<number> {
  const asked = new AbortController();
  const stopped = new Promise<void>((resolve) => asked.signal.addEventListener("abort", () => resolve()));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (asked.signal.aborted) process.exit(interrupted);
      asked.abort();
    });
  }
  let running: RunningUp;
  try {
    running = await startUp(options, report, asked.signal);
  } catch (error) {
    if (asked.signal.aborted) return interrupted;
    throw error;
  }
  started(running);
  await stopped;
  await running.stop(report);
  return running.clean ? 0 : 1;
}

/** Starts a process of its own session and shows what it reports until it is up. */
function runDetached(options: UpOptions, render: Report): Promise<number> {
  const paths = dataPaths(options.dataDir);
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  const log = openSync(paths.serverLog, "a", 0o600);
  const args = process.argv.slice(2).filter((arg) => arg !== "--detach");
  const child = fork(process.argv[1] ?? "", args, {
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
    env: { ...process.env, [detachedMark]: "1" },
  });
  return new Promise((resolve) => {
    let clean = true;
    child.on("message", (message: ReportEvent | { type: "clean"; clean: boolean }) => {
      if (message.type !== "clean") return render(message);
      clean = message.clean;
      child.disconnect();
      child.unref();
      resolve(clean ? 0 : 1);
    });
    child.on("exit", (code) => resolve(code === 0 ? 0 : 1));
  });
}

async function runInBackground(options: UpOptions): Promise<number> {
  const report: Report = (event) => void process.send?.(event, undefined, undefined, () => {});
  try {
    return await runUntilSignal(options, report, ({ clean }) => process.send?.({ type: "clean", clean }));
  } catch (error) {
    const next = error instanceof RoleError ? error.next : undefined;
    const text = error instanceof Error ? error.message : String(error);
    report({ type: "error", text, ...(next === undefined ? {} : { next }) });
    throw error;
  }
}
