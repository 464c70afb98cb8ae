import type { IEvent, IWatchResponse } from "etcd3";
import { createBackoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import { CompactedError, type StoreSink } from "../contract.ts";
import { StoreError } from "../error.ts";
import { leave, type EtcdConnection, type WatchStream } from "./etcd-connection.ts";
import { eventOf, firstKey } from "./etcd-entry.ts";

/** One watch of one caller over however many streams it takes. */
export interface Follower {
  readonly prefix: string;
  /** Resolves when everything up to `revision` has been told, when the watch has ended, or after `waitLimitMs`. */
  reached(revision: number): Promise<void>;
  /** Ends without a word. */
  stop(): void;
  end(reason: "closed"): void;
}

/** A stream that is behind for so long is opened anew: perhaps at another member. */
const behindLimitMs = 1500;
/** Nobody waits longer for what is told late. */
export const waitLimitMs = 5000;

/**
 * Follows etcd from after `since` and resumes by itself where it was when the connection or the member is lost. It
 * follows all keys, not those of the prefix alone: every revision has an event then, so that what has been told says how
 * far one is. (etcd's own progress notices may overtake events before 3.4.25 and 3.5.8, etcd-io/etcd issue 15220.)
 */
export function followEtcd(
  connection: EtcdConnection,
  { prefix, since, clock }: { prefix: string; since: number; clock: Clock },
  sink: StoreSink,
): Follower {
  const backoff = createBackoff({ base: 50, limit: 2000 });
  let seen = since;
  let over = false;
  /** The stream in use; what an earlier one still says is not heard. */
  let current: WatchStream | undefined;
  let cancelRetry = () => {};
  let hasBegun = false;
  let waiting: { revision: number; resolve: () => void }[] = [];

  function finish(): void {
    over = true;
    cancelRetry();
    if (current !== undefined) leave(current);
    current = undefined;
    for (const { resolve } of waiting) resolve();
    waiting = [];
  }

  function end(reason: Parameters<StoreSink["end"]>[0], error?: Error): void {
    if (over) return;
    finish();
    sink.end(reason, error);
  }

  function open(): void {
    cancelRetry = () => {};
    connection.watch().then(
      (stream) => {
        if (over || current !== undefined) return leave(stream);
        current = stream;
        listen(stream);
      },
      () => retry(),
    );
  }

  function retry(): void {
    cancelRetry();
    if (!over) cancelRetry = clock.after(backoff.next(), open);
  }

  function reopen(): void {
    if (current !== undefined) leave(current);
    current = undefined;
    retry();
  }

  function listen(stream: WatchStream): void {
    let held: IEvent[] = [];
    const lost = () => {
      if (current === stream) reopen();
    };
    stream.on("error", lost);
    stream.on("end", lost);
    stream.on("data", (answer) => {
      if (current !== stream) return;
      if (answer.canceled) return canceled(answer);
      if (answer.created) return created(answer);
      held = held.length === 0 ? answer.events : held.concat(answer.events);
      // A revision is told whole or, when the stream breaks in its midst, anew.
      if (answer.fragment) return;
      backoff.reset();
      const events = held;
      held = [];
      tell(events);
    });
    // From `seen` and not from the next one: etcd refuses exactly what is older than its compaction point.
    const start = String(Math.max(1, seen));
    const everything = { key: firstKey, range_end: firstKey, start_revision: start };
    stream.write({ create_request: { ...everything, prev_kv: true, fragment: true } });
  }

  function created({ header }: IWatchResponse): void {
    if (hasBegun && Number(header.revision) < seen) {
      const text = `etcd at ${connection.name} has gone back from revision ${seen} to ${header.revision}: was a snapshot restored?`;
      return end("failed", new StoreError("damaged", `${text} Start Fairlead again`));
    }
    hasBegun = true;
  }

  function canceled({ compact_revision: oldest }: IWatchResponse): void {
    if (Number(oldest) > 0) end("compacted", new CompactedError(seen, Number(oldest)));
    else reopen();
  }

  function tell(events: readonly IEvent[]): void {
    const before = seen;
    for (const event of events) {
      const revision = Number(event.kv.mod_revision);
      if (revision <= before) continue;
      seen = revision;
      if (!event.kv.key.toString().startsWith(prefix)) continue;
      try {
        sink.event(eventOf(event));
      } catch (error) {
        return end("failed", error as Error);
      }
      if (over) return;
    }
    if (seen === before) return;
    sink.progress?.(seen);
    const reached = waiting.filter(({ revision }) => revision <= seen);
    if (reached.length === 0) return;
    waiting = waiting.filter(({ revision }) => revision > seen);
    for (const { resolve } of reached) resolve();
  }

  open();
  return {
    prefix,
    reached(revision) {
      if (over || seen >= revision) return Promise.resolve();
      return new Promise((resolve) => {
        const entry = { revision, resolve: done };
        const cancelBehind = clock.after(behindLimitMs, () => {
          if (current !== undefined) reopen();
        });
        const cancelLimit = clock.after(waitLimitMs, done);
        function done(): void {
          cancelBehind();
          cancelLimit();
          waiting = waiting.filter((other) => other !== entry);
          resolve();
        }
        waiting.push(entry);
      });
    },
    stop: finish,
    end,
  };
}
