import { createBackoff, type Backoff } from "./backoff.ts";
import { systemClock, type Clock } from "./clock.ts";

/**
 * A set of keys to work on. A key that is added many times before its turn is worked on once; a key that is added while
 * it is being worked on gets another turn afterwards; two turns of one key never overlap. A turn that throws is tried
 * again after a growing delay. This is the shape of every reconcile loop here.
 */
export interface Workqueue {
  add(key: string): void;
  /** Adds the key after `ms`; an earlier pending delay for the same key stays in force. */
  addAfter(key: string, ms: number): void;
  /** Resolves when nothing is queued or running; delayed keys do not count. */
  idle(): Promise<void>;
  /** No new turns; resolves when the running ones have ended. */
  stop(): Promise<void>;
}

export interface WorkqueueOptions {
  work: (key: string) => Promise<void>;
  /** Called for each failed turn, before its retry is scheduled. */
  failed: (key: string, error: unknown, retryInMs: number) => void;
  /** How many keys are worked on side by side; 1 by default. */
  concurrency?: number;
  clock?: Clock;
  retryBaseMs?: number;
  retryLimitMs?: number;
}

export function createWorkqueue(options: WorkqueueOptions): Workqueue {
  const { work, failed, concurrency = 1, clock = systemClock, retryBaseMs = 20, retryLimitMs = 30_000 } = options;
  const waiting = new Set<string>();
  const running = new Set<string>();
  const again = new Set<string>();
  const delayed = new Map<string, () => void>();
  const backoffs = new Map<string, Backoff>();
  let stopped = false;
  let watchers: (() => void)[] = [];

  function settle(): void {
    if (waiting.size > 0 || running.size > 0) return;
    const settled = watchers;
    watchers = [];
    for (const resolve of settled) resolve();
  }

  async function turn(key: string): Promise<void> {
    try {
      await work(key);
      backoffs.delete(key);
    } catch (error) {
      const backoff = backoffs.get(key) ?? createBackoff({ base: retryBaseMs, limit: retryLimitMs });
      backoffs.set(key, backoff);
      const ms = backoff.next();
      failed(key, error, ms);
      if (!stopped) queue.addAfter(key, ms);
    }
    running.delete(key);
    if (again.delete(key)) waiting.add(key);
    pump();
  }

  function pump(): void {
    while (!stopped && running.size < concurrency) {
      const [key] = waiting;
      if (key === undefined) break;
      waiting.delete(key);
      running.add(key);
      void turn(key);
    }
    settle();
  }

  const queue: Workqueue = {
    add(key) {
      if (stopped) return;
      if (running.has(key)) again.add(key);
      else waiting.add(key);
      queueMicrotask(pump);
    },
    addAfter(key, ms) {
      if (stopped || delayed.has(key)) return;
      const cancel = clock.after(ms, () => {
        delayed.delete(key);
        queue.add(key);
      });
      delayed.set(key, cancel);
    },
    idle: () =>
      new Promise((resolve) => {
        watchers.push(resolve);
        queueMicrotask(settle);
      }),
    stop() {
      stopped = true;
      waiting.clear();
      again.clear();
      for (const cancel of delayed.values()) cancel();
      delayed.clear();
      return queue.idle();
    },
  };
  return queue;
}
