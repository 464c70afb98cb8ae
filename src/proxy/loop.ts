import { createBackoff } from "#base/backoff.ts";
import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import type { Problem } from "#routing/because.ts";
import { newerRevision } from "#routing/l4/compile.ts";
import { concerns, diffServices, isEmptyDiff, mergeDiffs, splitDiff } from "#routing/l4/diff.ts";
import type { ServiceDiff } from "#routing/l4/table.ts";
import { createProxyMetrics, type ProxyMetrics } from "./metrics/proxy-metrics.ts";
import { RefusedError, type ProxyMode, type ProxyModeName, type ProxyNode, type ServedAddress } from "./mode.ts";
import { createRefusedPorts, type Held } from "./refused.ts";
import type { ServiceSource } from "./source.ts";

export interface ProxyOptions {
  readonly source: ServiceSource;
  readonly node: ProxyNode;
  readonly mode: ProxyMode;
  readonly log?: Log;
  readonly clock?: Clock;
  /** At least this long between the end of an apply and the start of the next; changes meanwhile become one. */
  readonly minSyncMs?: number;
  /** How often is looked whether another program has changed the rules. */
  readonly checkMs?: number;
  /** Counts on where an earlier proxy of the same node ended. */
  readonly metrics?: ProxyMetrics;
  /** Called when another program had changed the rules, with what it changed; they are being made again. */
  readonly tampered?: (damage: string) => void;
}

export interface RunningProxy {
  readonly node: string;
  readonly mode: ProxyModeName;
  /** The newest revision of a Service or EndpointSlice that is in force on the node; `"0"` before the first apply. */
  applied(): string;
  /** Resolves when that revision, or a newer one, is in force; rejects when the proxy is stopped first. */
  waitFor(revision: string): Promise<void>;
  problems(): readonly Problem[];
  /** Where service ports are reached, in modes that serve at places of their own; empty in all others. */
  addresses(): readonly ServedAddress[];
  readonly metrics: ProxyMetrics;
  /** Since when the oldest change waits that is not in force, and when the last was put in force; ms since the epoch. */
  freshness(): { readonly waitingSince?: number; readonly appliedAt?: number };
  /** Asks the mode whether its rules still stand; what another program took away is put in force again. */
  look(): Promise<void>;
  /** Ends the program's part; what is in the kernel stays. */
  stop(): Promise<void>;
  /** Stops, and removes what is in the kernel. */
  cleanup(): Promise<void>;
}

/** Sooner than upstream, which looks every 30 s. */
const defaultCheckMs = 10_000;
/** Of changes that wait for a mode that fails. */
const rememberedTimes = 1_000;
/** How often the revision is looked at while somebody waits for one; changes are told at once. */
const watchMs = 50;

/**
 * Keeps one node at the table: differences that come while one is applied are merged, a failed one is tried again. Of one
 * that failed for one service port the rest is applied at once, and that port is tried again apart.
 */
export function startProxy(options: ProxyOptions): RunningProxy {
  const { source, node, mode, log = silentLog, clock = systemClock, minSyncMs = 1 } = options;
  const { checkMs = defaultCheckMs, metrics = createProxyMetrics(clock.now(), node.family), tampered } = options;
  const backoff = createBackoff({ base: 50, limit: 30_000 });
  const waiters = new Set<{ revision: string; resolve: () => void; reject: (error: Error) => void }>();
  let applied = "0";
  let hasApplied = false;
  let pending: ServiceDiff | undefined;
  /** Times of `pending`. */
  let waitingSince: number | undefined;
  let triggerTimes: readonly number[] = [];
  let applyingSince: number | undefined;
  let appliedAt: number | undefined;
  /** The next apply brings everything. */
  let isFull = true;
  let running: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  let cancelCheck: (() => void) | undefined;
  let cancelWatch: (() => void) | undefined;
  let failure: Problem | undefined;
  const refused = createRefusedPorts({
    node: node.name,
    clock,
    log,
    again(held) {
      putBack(held);
      schedule(minSyncMs);
    },
  });
  let stopped = false;

  function arrived(revision: string): void {
    hasApplied = true;
    applied = newerRevision(applied, revision);
    for (const waiter of waiters) {
      if (newerRevision(applied, waiter.revision) !== applied) continue;
      waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** A revision without a change for this node, as bookmarks tell it, is in force as soon as all before it is. */
  function catchUp(): void {
    const revision = source.revision();
    if (hasApplied && pending === undefined && running === undefined) arrived(revision);
  }

  function watchRevision(): void {
    cancelWatch = waiters.size === 0 ? undefined : clock.after(watchMs, watchRevision);
    catchUp();
  }

  function schedule(ms: number): void {
    if (stopped || cancelTimer !== undefined || running !== undefined || pending === undefined) return;
    cancelTimer = clock.after(ms, () => {
      cancelTimer = undefined;
      running = run().then((nextMs) => {
        running = undefined;
        schedule(nextMs);
      });
    });
  }

  /** One apply; gives the time to wait before the next. */
  async function run(): Promise<number> {
    const diff = pending;
    if (diff === undefined) return minSyncMs;
    const times = triggerTimes;
    pending = undefined;
    triggerTimes = [];
    applyingSince = waitingSince;
    waitingSince = undefined;
    try {
      const { changes, ms } = await mode.apply(diff);
      metrics.applied({ now: clock.now(), ms, isFull, triggerTimes: times });
      isFull = false;
      appliedAt = clock.now();
      log.debug({ node: node.name, revision: diff.revision, changes, ms }, "services are in force");
      failure = undefined;
      backoff.reset();
      refused.served(diff);
      arrived(diff.revision);
      return minSyncMs;
    } catch (error) {
      metrics.failed(mode.name, isFull);
      if (error instanceof RefusedError && concerns(diff, error.id)) {
        const { one, rest } = splitDiff(diff, error.id);
        const since = applyingSince ?? clock.now();
        refused.hold(error, { diff: one, since });
        waitingSince ??= since;
        triggerTimes = [...times, ...triggerTimes].slice(-rememberedTimes);
        pending = pending === undefined ? rest : mergeDiffs(rest, pending);
        refused.release(pending).forEach(putBack);
        return minSyncMs;
      }
      const waitMs = backoff.next();
      waitingSince = applyingSince;
      triggerTimes = [...times, ...triggerTimes].slice(-rememberedTimes);
      pending = pending === undefined ? diff : mergeDiffs(diff, pending);
      const message = `services on ${node.name} stay at revision ${applied}: ${String(error)}; trying again`;
      failure = { at: { kind: "Node", name: node.name }, code: "apply-failed", message };
      log.warn({ node: node.name, error: String(error), waitMs }, "services could not be put in force, trying again");
      return waitMs;
    } finally {
      applyingSince = undefined;
    }
  }

  /** What was left out is to be tried again, before all that came later. */
  function putBack({ diff, since }: Held): void {
    pending = pending === undefined ? diff : mergeDiffs(diff, pending);
    waitingSince = Math.min(waitingSince ?? since, since);
  }

  function check(): void {
    cancelCheck = clock.after(checkMs, check);
    void look();
  }

  function look(): Promise<void> {
    if (stopped || mode.isIntact === undefined) return Promise.resolve();
    if (running !== undefined || pending !== undefined) return running ?? Promise.resolve();
    running = mode
      .isIntact()
      .then((intact) => {
        if (intact) return;
        const damage = mode.damage?.() ?? "";
        log.warn({ node: node.name, damage }, "another program changed the rules of services; they are made again");
        tampered?.(damage);
        isFull = true;
        waitingSince ??= clock.now();
        const everything = diffServices(undefined, source.table(node.family));
        pending = pending === undefined ? everything : mergeDiffs(everything, pending);
        refused.release(everything).forEach(putBack);
      })
      .finally(() => {
        running = undefined;
        schedule(minSyncMs);
      });
    return running;
  }

  const unsubscribe = source.subscribe((diff, times) => {
    metrics.changed(diff, clock.now());
    if (pending === undefined && running === undefined && isEmptyDiff(diff) && hasApplied) {
      arrived(diff.revision);
      return;
    }
    pending = pending === undefined ? diff : mergeDiffs(pending, diff);
    refused.release(diff).forEach(putBack);
    waitingSince ??= clock.now();
    if (times.length > 0) triggerTimes = [...triggerTimes, ...times].slice(-rememberedTimes);
    schedule(minSyncMs);
  }, node.family);

  if (mode.isIntact !== undefined) cancelCheck = clock.after(checkMs, check);

  async function halt(): Promise<void> {
    if (stopped) return;
    stopped = true;
    unsubscribe();
    cancelTimer?.();
    cancelCheck?.();
    cancelWatch?.();
    refused.stop();
    await running;
    for (const waiter of waiters) waiter.reject(new Error(`the proxy of ${node.name} was stopped`));
    waiters.clear();
  }

  return {
    node: node.name,
    mode: mode.name,
    metrics,
    freshness() {
      const waiting = [applyingSince ?? waitingSince, refused.since()].filter((since) => since !== undefined);
      const since = waiting.length === 0 ? {} : { waitingSince: Math.min(...waiting) };
      return { ...since, ...(appliedAt !== undefined && { appliedAt }) };
    },
    applied() {
      catchUp();
      return applied;
    },
    waitFor: (revision) =>
      new Promise((resolve, reject) => {
        catchUp();
        if (stopped) reject(new Error(`the proxy of ${node.name} was stopped`));
        else if (hasApplied && newerRevision(applied, revision) === applied) resolve();
        else {
          waiters.add({ revision, resolve, reject });
          cancelWatch ??= clock.after(watchMs, watchRevision);
        }
      }),
    look,
    problems: () => [...(failure === undefined ? [] : [failure]), ...refused.problems(), ...(mode.problems?.() ?? [])],
    addresses: () => mode.addresses?.() ?? [],
    async stop() {
      await halt();
      await mode.stop();
    },
    async cleanup() {
      await halt();
      await mode.stop();
      await mode.cleanup();
    },
  };
}
