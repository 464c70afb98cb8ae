import { fork } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import type { UpOptions } from "#roles/options.ts";
import type { Report, ReportEvent } from "#roles/report.ts";
import { dataPaths } from "#roles/state.ts";
import { startUp, type RunningUp } from "#roles/up.ts";
import { createRenderer, styleFor } from "../render.ts";

interface UpOutput {
  detach: boolean;
  json: boolean;
}

/** Set for the process that goes on in the background: it reports over its channel. */
const detachedMark = "FAIRLEAD_DETACHED";

/** The exit code: 0, or 1 when a manifest was refused or not served in time. */
export async function runUp(options: UpOptions, { detach, json }: UpOutput): Promise<number> {
  const render = createRenderer(styleFor(process.stdout, json), (text) => process.stdout.write(text));
  if (detach) return runDetached(options, render);
  if (process.env[detachedMark] !== undefined) return runInBackground(options);
  const running = await startUp(options, render);
  if (!json) process.stdout.write("Ctrl-C stops it.\n");
  return stopOnSignal(running, render);
}

/** Keeps the cluster until a signal, then stops it; a second signal ends the process at once. */
function stopOnSignal(running: RunningUp, report: Report): Promise<number> {
  return new Promise((resolve) => {
    const stop = () => {
      process.on("SIGINT", () => process.exit(130));
      process.on("SIGTERM", () => process.exit(143));
      void running.stop(report).then(() => resolve(running.clean ? 0 : 1));
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  });
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
  const running = await startUp(options, report).catch((error: unknown) => {
    const next = error instanceof Error && "next" in error && typeof error.next === "string" ? error.next : undefined;
    const text = error instanceof Error ? error.message : String(error);
    report({ type: "error", text, ...(next === undefined ? {} : { next }) });
    throw error;
  });
  process.send?.({ type: "clean", clean: running.clean });
  return stopOnSignal(running, () => {});
}
