import { Worker } from "node:worker_threads";
import { createBackoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { workerEnv } from "#base/worker-env.ts";
import type { ListenAddress } from "./contract.ts";
import type { FromWorker, ToWorker, WorkerData, WorkerRequest } from "./link.ts";
import { createCounters, sumCounters, type DnsCounters } from "./metrics.ts";

type Value = ListenAddress | DnsCounters | undefined;
type WithoutNumber<T> = T extends unknown ? Omit<T, "request"> : never;

/** A place that always has a worker, but for the moments between one that died and the next. */
export interface Seat {
  tell(message: ToWorker): void;
  /** Rejects when the worker ends first, or there is none now. */
  ask(message: WithoutNumber<WorkerRequest>): Promise<Value>;
  /** The newest revision whose names the worker has; `undefined` while it has none. */
  applied(): string | undefined;
  /** What this worker and those before it counted, as far as they could say. */
  counters(): Promise<DnsCounters>;
  stop(): Promise<void>;
}

export interface SeatOptions {
  readonly url: URL;
  readonly data: () => WorkerData;
  readonly log: Log;
  readonly clock: Clock;
  readonly onApplied: () => void;
  /** A new worker sits here, and knows nothing yet. */
  readonly onRestart: (seat: Seat) => void;
}

interface Request {
  resolve(value: Value): void;
  reject(error: Error): void;
}

/** A worker that ran this long has recovered: the next failure waits only briefly again. */
const healthyAfter = 10_000;

/** What an answer needs is let go at once: young memory of the usual size would only wait, unused, for tens of MB. */
const resourceLimits = { maxYoungGenerationSizeMb: 6 };

export function startSeat({ url, data, log, clock, onApplied, onRestart }: SeatOptions): Seat {
  const requests = new Map<number, Request>();
  const backoff = createBackoff({ base: 50, limit: 5_000 });
  let last = 0;
  let applied: string | undefined;
  let stopped = false;
  let cancelRestart: (() => void) | undefined;
  let lastCounters = createCounters();
  let lost = createCounters();
  let worker: Worker | undefined = start();

  function start(): Worker {
    const started = new Worker(url, { workerData: data(), env: workerEnv(), name: "dns", resourceLimits });
    const cancelHealthy = clock.after(healthyAfter, () => backoff.reset());
    started.on("message", hear);
    started.on("error", (error) => log.error({ error: String(error) }, "the DNS worker failed"));
    started.on("exit", (code) => {
      cancelHealthy();
      worker = undefined;
      applied = undefined;
      lost = sumCounters([lost, { ...lastCounters, cacheEntries: { success: 0, denial: 0 } }]);
      lastCounters = createCounters();
      for (const request of requests.values()) request.reject(new Error("the DNS worker ended"));
      requests.clear();
      if (stopped) return;
      log.error({ code }, "the DNS worker ended; starting it again");
      cancelRestart = clock.after(backoff.next(), () => {
        worker = start();
        onRestart(seat);
      });
      onApplied();
    });
    return started;
  }

  function hear(message: FromWorker): void {
    if (message.tell === "applied") {
      applied = message.revision;
      return onApplied();
    }
    if (message.tell === "log") return log[message.level](message.fields, message.message);
    const request = requests.get(message.request);
    requests.delete(message.request);
    if (message.tell === "ok") request?.resolve(message.value);
    else request?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }

  const seat: Seat = {
    tell: (message) => worker?.postMessage(message),
    ask(message) {
      return new Promise((resolve, reject) => {
        if (worker === undefined) return reject(new Error("the DNS worker is not running"));
        const request = ++last;
        requests.set(request, { resolve, reject });
        worker.postMessage({ ...message, request } satisfies ToWorker);
      });
    },
    applied: () => applied,
    async counters() {
      const now = await seat.ask({ tell: "counters" }).catch(() => undefined);
      if (now !== undefined) lastCounters = now as DnsCounters;
      return sumCounters([lost, lastCounters]);
    },
    async stop() {
      stopped = true;
      cancelRestart?.();
      const running = worker;
      if (running === undefined) return;
      // Listeners are closed when it says so; whatever else it waits for is not worth waiting for.
      await seat.ask({ tell: "stop" }).catch(() => undefined);
      await running.terminate();
    },
  };
  return seat;
}
