import { workerEnv } from "#base/worker-env.ts";
import { Worker } from "node:worker_threads";
import { createBackoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { FromWorker, Seen, ToWorker, WorkerData } from "./messages.ts";
import { ListenError } from "./running.ts";
import type { Span } from "./trace/span.ts";
import type { NumberedChange } from "./whole-table.ts";

export interface PlaceOptions {
  readonly url: URL;
  readonly data: Omit<WorkerData, "first">;
  readonly clock: Clock;
  readonly log: Log;
  /** The table of this moment: what a worker that takes a dead one's place begins with. */
  readonly whole: () => NumberedChange;
  /** Gets the spans of the worker. */
  readonly passSpans: (spans: readonly Span[], dropped: number) => void;
  /** Called when the worker died, before another one is started. */
  readonly died: () => void;
}

/** A worker's memory: what a connection needs lies outside of these heaps, in buffers. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

type Waiter = (seen: Seen) => void;

const nothing: Seen = { failures: [], sample: [] };

/** A place that is always filled by a worker thread: one that dies is replaced and given the table anew. */
export class WorkerPlace {
  private readonly options: PlaceOptions;
  private worker: Worker | undefined;
  private readonly waiters = new Map<number, Waiter>();
  private nextId = 1;
  private stopped = false;
  private readonly backoff = createBackoff({ base: 100, limit: 10_000 });

  constructor(options: PlaceOptions) {
    this.options = options;
  }

  /** Starts the first worker; rejects with `ListenError`. */
  async start(): Promise<void> {
    await this.launch();
  }

  apply(numbered: NumberedChange): Promise<void> {
    return this.ask((id) => ({ type: "apply", id, numbered, pages: this.options.data.pages })).then(() => undefined);
  }

  look(): Promise<Seen> {
    return this.ask((id) => ({ type: "look", id }));
  }

  async stop(drainMs: number): Promise<void> {
    this.stopped = true;
    const { worker } = this;
    if (worker === undefined) return;
    await this.ask((id) => ({ type: "stop", id, drainMs }));
    this.worker = undefined;
    await worker.terminate();
  }

  /** For tests of what happens when a thread dies. */
  get threadId(): number | undefined {
    return this.worker?.threadId;
  }

  /** Ends the thread at once, as a crash would. */
  async kill(): Promise<void> {
    await this.worker?.terminate();
  }

  private ask(message: (id: number) => ToWorker): Promise<Seen> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiters.set(id, resolve);
      // Without a worker, its successor answers: it begins with the table that holds this change.
      this.worker?.postMessage(message(id));
    });
  }

  private launch(): Promise<void> {
    const { url, data, log, whole } = this.options;
    const worker = new Worker(url, {
      workerData: { ...data, first: whole() } satisfies WorkerData,
      resourceLimits,
      execArgv: [],
      env: workerEnv(),
      name: "dataplane",
    });
    return new Promise((resolve, reject) => {
      worker.on("message", (message: FromWorker) => {
        switch (message.type) {
          case "ready":
            this.worker = worker;
            this.backoff.reset();
            resolve();
            break;
          case "refused":
            reject(new ListenError(message.listener, Object.assign(new Error(message.code), { code: message.code })));
            void worker.terminate();
            break;
          case "done":
            this.settle(message.id, message.seen ?? nothing);
            break;
          case "spans":
            this.options.passSpans(message.spans, message.dropped);
            break;
          case "log":
            log[message.level](message.fields, message.message);
        }
      });
      worker.on("error", (error) => log.error({ error: String(error) }, "a data plane worker failed"));
      worker.on("exit", (code) => {
        reject(new Error(`a data plane worker ended with ${code} before it listened`));
        if (this.worker !== worker) return;
        this.worker = undefined;
        if (this.stopped) for (const id of this.waiters.keys()) this.settle(id, nothing);
        else {
          this.options.died();
          log.error({ code }, "a data plane worker ended; another takes its place");
          this.relaunch();
        }
      });
    });
  }

  private relaunch(): void {
    this.launch().then(
      async () => {
        const open = [...this.waiters.keys()];
        await this.apply(this.options.whole());
        for (const id of open) this.settle(id, nothing);
        if (this.stopped) await this.kill();
      },
      (error: unknown) => {
        if (this.stopped) return;
        const ms = this.backoff.next();
        this.options.log.error({ error: String(error), retryInMs: ms }, "a data plane worker cannot be started");
        this.options.clock.after(ms, () => {
          if (!this.stopped) this.relaunch();
        });
      },
    );
  }

  private settle(id: number, seen: Seen): void {
    const waiter = this.waiters.get(id);
    this.waiters.delete(id);
    waiter?.(seen);
  }
}
