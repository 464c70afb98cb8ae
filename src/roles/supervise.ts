import { fork, type ChildProcess } from "node:child_process";
import { createBackoff } from "#base/backoff.ts";
import { systemClock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { workerEnv } from "#base/worker-env.ts";

/** A child process that is started again, with growing delays, whenever it ends without being asked to. */
export interface Supervised<Down extends object> {
  send(message: Down): void;
  pid(): number | undefined;
  /** Ends the child at once; it is started again as after a crash. */
  restart(): void;
  /**
   * Asks the child to end by this message, waits, and ends it with SIGKILL when it does not within `ms`. False when it
   * could not do what was asked.
   */
  stop(message: Down, ms: number): Promise<boolean>;
}

export interface SuperviseOptions<Up> {
  readonly module: string;
  readonly args: readonly string[];
  readonly log: Log;
  readonly started: (child: ChildProcess) => void;
  readonly message: (message: Up) => void;
  /** Called once for a series of crashes, not for each. */
  readonly crashed: (text: string) => void;
}

/** A run this long counts as healthy: the next crash is told again and starts from the shortest delay. */
const healthyAfterMs = 30_000;

export function supervise<Up, Down extends object>(options: SuperviseOptions<Up>): Supervised<Down> {
  const { module, args, log, started, message, crashed } = options;
  const backoff = createBackoff({ base: 200, limit: 10_000 });
  let child: ChildProcess | undefined;
  let stopping = false;
  let told = false;
  let cancelRestart: (() => void) | undefined;

  function start(): void {
    const begun = systemClock.monotonic();
    const running = fork(module, [...args], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, ...workerEnv() },
    });
    child = running;
    let lastWords = "";
    running.stderr?.setEncoding("utf8").on("data", (text: string) => (lastWords = (lastWords + text).slice(-4000)));
    running.on("message", (value) => message(value as Up));
    let over = false;
    running.on("error", (error) => {
      log.error({ error: String(error) }, "the agent cannot be started, or not be told something");
      // A process that never was does not end either.
      if (running.pid === undefined) ended(null, null);
    });
    running.once("exit", ended);
    function ended(code: number | null, signal: NodeJS.Signals | null): void {
      if (over) return;
      over = true;
      child = undefined;
      if (stopping) return;
      if (systemClock.monotonic() - begun > healthyAfterMs) {
        told = false;
        backoff.reset();
      }
      const ms = backoff.next();
      const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      log.error({ code, signal, lastWords, restartInMs: Math.round(ms) }, "the agent ended");
      if (!told) crashed(`the agent ${how}; it is started again (pods, rules and connections stay)`);
      told = true;
      cancelRestart = systemClock.after(ms, start);
    }
    started(running);
  }

  start();
  return {
    send(value) {
      if (child?.connected) child.send(value, () => {});
    },
    pid: () => child?.pid,
    restart: () => void child?.kill("SIGKILL"),
    async stop(message, ms) {
      stopping = true;
      cancelRestart?.();
      const running = child;
      if (running === undefined) return false;
      const ended = new Promise<boolean>((resolve) => running.once("exit", (code) => resolve(code === 0)));
      if (running.connected) running.send(message, () => {});
      else running.kill("SIGTERM");
      const cancel = systemClock.after(ms, () => running.kill("SIGKILL"));
      const isDone = await ended;
      cancel();
      return isDone;
    },
  };
}
