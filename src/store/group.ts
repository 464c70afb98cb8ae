import {
  CompactedError,
  type CommitResult,
  type Entry,
  type Store,
  type StoreEvent,
  type StoreSink,
} from "./contract.ts";
import { StoreError } from "./error.ts";
import { createState, evaluate, type InitialState } from "./state.ts";
import type { Write } from "./contract.ts";

/** What a driver adds to the state in memory: making a turn's changes durable. Each call is whole or fails. */
export interface Persistence {
  /** All commits of one turn, in one transaction. Not called again before it has returned or its promise is settled. */
  persist(events: readonly StoreEvent[]): void | Promise<void>;
  compact(revision: number): void;
  close(): void;
  /** When the queued commits are made: after the current turn for a disk, at once for memory. */
  schedule(flush: () => void): void;
}

interface Waiting {
  readonly writes: readonly Write[];
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A store whose reads come from memory and whose commits of one event-loop turn become durable together; those that
 * come while a disk works are the next turn. Nothing is seen, told to watchers or acknowledged before it is durable;
 * when a turn cannot be made durable, all its commits reject with the driver's error and nothing has happened.
 */
export function createGroupedStore(initial: InitialState, persistence: Persistence): Store {
  const state = createState(initial);
  const watchers = new Set<{ prefix: string; sink: StoreSink }>();
  let queue: Waiting[] = [];
  let scheduled = false;
  /** The turn that is being made durable. */
  let inFlight: Promise<void> | undefined;
  let closed = false;

  function schedule(): void {
    if (scheduled || inFlight !== undefined) return;
    scheduled = true;
    persistence.schedule(() => {
      if (scheduled) flush();
    });
  }

  function flush(): void {
    scheduled = false;
    const waiting = queue;
    queue = [];
    const overlay = new Map<string, Entry | undefined>();
    const read = (key: string) => (overlay.has(key) ? overlay.get(key) : state.get(key));
    const commits: { revision: number; events: StoreEvent[] }[] = [];
    const answers: CommitResult[] = [];
    let revision = state.revision();
    for (const { writes } of waiting) {
      const outcome = evaluate(writes, revision + 1, read);
      if ("ok" in outcome) {
        answers.push(outcome);
        continue;
      }
      revision += 1;
      for (const { key, entry } of outcome.events) overlay.set(key, entry);
      commits.push({ revision, events: outcome.events });
      answers.push({ ok: true, revision });
    }
    const refuse = (error: unknown) => {
      for (const { reject } of waiting) reject(error);
    };
    const confirm = () => {
      for (const commit of commits) {
        state.apply(commit.revision, commit.events);
        for (const event of commit.events) tell(event);
      }
      if (commits.length > 0) for (const { sink } of watchers) sink.progress?.(revision);
      for (const [index, { resolve }] of waiting.entries()) resolve(answers[index] as CommitResult);
    };
    if (commits.length === 0) return confirm();
    const events = commits.flatMap((commit) => commit.events);
    try {
      const durable = persistence.persist(events);
      if (durable === undefined) return confirm();
      inFlight = durable.then(confirm, refuse).finally(() => {
        inFlight = undefined;
        if (queue.length > 0) schedule();
      });
    } catch (error) {
      refuse(error);
    }
  }

  function tell(event: StoreEvent): void {
    for (const watcher of watchers) if (event.key.startsWith(watcher.prefix)) deliver(watcher, event);
  }

  function deliver(watcher: { prefix: string; sink: StoreSink }, event: StoreEvent): void {
    try {
      watcher.sink.event(event);
    } catch (error) {
      watchers.delete(watcher);
      watcher.sink.end("failed", error as Error);
    }
  }

  return {
    isShared: false,
    revision: async () => state.revision(),
    get: async (key, atRevision) => state.get(key, atRevision),
    list: async (range) => state.range(range),
    commit: (writes) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new StoreError("closed", "the store is closed"));
        queue.push({ writes, resolve, reject });
        schedule();
      }),
    watch(prefix, since, sink) {
      const watcher = { prefix, sink };
      let ended = false;
      queueMicrotask(() => {
        if (ended) return;
        if (closed) return sink.end("closed");
        let missed: StoreEvent[];
        try {
          missed = state.since(prefix, since);
        } catch (error) {
          return error instanceof CompactedError ? sink.end("compacted", error) : sink.end("failed", error as Error);
        }
        watchers.add(watcher);
        for (const event of missed) if (watchers.has(watcher)) deliver(watcher, event);
        if (watchers.has(watcher)) sink.progress?.(state.revision());
      });
      return () => {
        ended = true;
        watchers.delete(watcher);
      };
    },
    compact: async (revision) => {
      const upTo = Math.min(revision, state.revision());
      if (upTo <= state.oldest()) return;
      persistence.compact(upTo);
      state.compact(upTo);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      while (inFlight !== undefined || queue.length > 0) {
        if (inFlight === undefined) flush();
        await inFlight;
      }
      for (const { sink } of watchers) sink.end("closed");
      watchers.clear();
      persistence.close();
    },
  };
}
