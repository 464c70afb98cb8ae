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

/** What a driver adds to the state in memory: making a turn's changes durable. Each call is whole or throws. */
export interface Persistence {
  /** All commits of one turn, in one transaction. */
  persist(events: readonly StoreEvent[]): void;
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
 * A store whose reads come from memory and whose commits of one event-loop turn become durable together. Nothing is
 * seen, told to watchers or acknowledged before it is durable; when a turn cannot be made durable, all its commits
 * reject with the driver's error and nothing has happened.
 */
export function createGroupedStore(initial: InitialState, persistence: Persistence): Store {
  const state = createState(initial);
  const watchers = new Set<{ prefix: string; sink: StoreSink }>();
  let queue: Waiting[] = [];
  let scheduled = false;
  let closed = false;

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
    try {
      if (commits.length > 0) persistence.persist(commits.flatMap(({ events }) => events));
    } catch (error) {
      for (const { reject } of waiting) reject(error);
      return;
    }
    for (const commit of commits) {
      state.apply(commit.revision, commit.events);
      for (const event of commit.events) tell(event);
    }
    if (commits.length > 0) for (const { sink } of watchers) sink.progress?.(revision);
    for (const [index, { resolve }] of waiting.entries()) resolve(answers[index] as CommitResult);
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
        if (scheduled) return;
        scheduled = true;
        persistence.schedule(() => {
          if (scheduled) flush();
        });
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
      if (queue.length > 0) flush();
      for (const { sink } of watchers) sink.end("closed");
      watchers.clear();
      persistence.close();
    },
  };
}
