import { createBackoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { CountersSnapshot } from "../counters.ts";
import type { FailureRecord } from "../failures.ts";
import type { Served } from "../log/served.ts";
import type { ListenerSpec } from "../running.ts";
import { SlotBook } from "../slots.ts";
import type { TableChange } from "../table.ts";
import type { Sampling, Span } from "../trace/span.ts";
import { WholeTable } from "../whole-table.ts";
import { confined, type Account } from "./account.ts";
import type { ProcessOptions } from "./messages.ts";
import { OneProcess } from "./one.ts";

export { ProcessError } from "./one.ts";

export interface DataplaneProcessOptions extends Omit<ProcessOptions, "table" | "sampling"> {
  /** The program of the process, and of its workers where that does not lie beside the data plane's. */
  readonly program: URL;
  readonly workerUrl?: URL;
  /** Whom it runs as; the one who starts it when absent. */
  readonly account?: Account;
  readonly tracing?: {
    readonly sampling: Sampling;
    readonly export: (spans: readonly Span[], dropped: number) => void;
  };
  readonly log: Log;
  readonly clock: Clock;
}

/** A data plane in a process of its own, which is started again when it ends. */
export interface DataplaneProcess {
  readonly addresses: readonly ListenerSpec[];
  /** The process that serves new connections now. */
  pid(): number | undefined;
  apply(change: TableChange): Promise<void>;
  refusedStreams(): ReadonlyMap<string, string>;
  /** Of the process that serves now, from its start on. */
  counters(): Promise<CountersSnapshot>;
  failures(): Promise<readonly FailureRecord[]>;
  sample(): Promise<readonly Served[]>;
  /**
   * Starts another process beside this one from the program as it lies on disk now, with the whole table; once it
   * listens, the one before takes no more connections and ends when its last is closed, after `drainMs` at the latest.
   * Resolves when the new one serves. Rejects, and all stays as it is, when it cannot be started.
   */
  restart(drainMs: number): Promise<void>;
  /** Resolves when every process is gone. */
  stop(options: { readonly drainMs: number }): Promise<void>;
}

/** Starts the data plane apart from this process, with as few rights as it needs. Rejects with `ListenError` or `ProcessError`. */
export async function startDataplaneProcess(options: DataplaneProcessOptions): Promise<DataplaneProcess> {
  const { program, workerUrl, account, tracing, log, clock, ...plain } = options;
  const table = new WholeTable(new SlotBook(0));
  const backoff = createBackoff({ base: 100, limit: 10_000 });
  const leaving = new Set<Promise<void>>();
  let isStopped = false;
  let current: OneProcess;
  /** Changes wait while one process takes over from another, so that each reaches the one that serves. */
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  }

  async function launch(isBeside: boolean, listeners: readonly ListenerSpec[]): Promise<OneProcess> {
    const isRoot = process.getuid?.() === 0;
    const one = new OneProcess({
      command: confined(isRoot ? account : undefined, [process.execPath, program.pathname]),
      workerUrl,
      log,
      passSpans: tracing?.export ?? (() => {}),
      ended: (how) => {
        if (isStopped || one !== current) return;
        log.error({ how }, "the data plane ended; another takes its place");
        replace();
      },
    });
    await one.start({
      ...plain,
      listeners,
      isBeside,
      ...(tracing === undefined ? {} : { sampling: tracing.sampling }),
      table: table.whole().change,
    });
    return one;
  }

  /** Until it succeeds: without it nothing is served. */
  function replace(): void {
    if (isStopped) return;
    void inTurn(async () => {
      current = await launch(false, current.addresses);
      backoff.reset();
    }).catch((error: unknown) => {
      const ms = backoff.next();
      log.error({ error: String(error), retryInMs: ms }, "the data plane cannot be started");
      clock.after(ms, replace);
    });
  }

  current = await launch(plain.isBeside === true, plain.listeners);
  const none: CountersSnapshot = await current.look().then((look) => look?.counters as CountersSnapshot);
  return {
    addresses: current.addresses,
    pid: () => current.pid,
    apply: (change) =>
      inTurn(async () => {
        table.apply(change);
        await current.apply(change);
      }),
    refusedStreams: () => current.refused,
    counters: async () => (await current.look())?.counters ?? none,
    failures: async () => (await current.look())?.failures ?? [],
    sample: async () => (await current.look())?.sample ?? [],
    restart: (drainMs) =>
      inTurn(async () => {
        const before = current;
        current = await launch(true, before.addresses);
        const gone = before.stop(drainMs).finally(() => leaving.delete(gone));
        leaving.add(gone);
      }),
    async stop({ drainMs }) {
      isStopped = true;
      await turn;
      await Promise.all([current.stop(drainMs), ...leaving]);
    },
  };
}
