import { createBackoff, type Backoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Problem } from "#routing/because.ts";
import { concerns } from "#routing/l4/diff.ts";
import type { ServiceDiff } from "#routing/l4/table.ts";
import type { RefusedError } from "./mode.ts";

/** What is to be changed of a service port, and since when that waits; ms since the epoch. */
export interface Held {
  readonly diff: ServiceDiff;
  readonly since: number;
}

/** Service ports that the kernel or a program refuses, while all others are served. */
export interface RefusedPorts {
  /** Leaves the service port out until its time has come; longer each time. */
  hold(error: RefusedError, held: Held): void;
  /** What is held of service ports that the difference changes again: they are no longer. */
  release(diff: ServiceDiff): readonly Held[];
  /** The difference is in force: what it is about starts afresh. */
  served(diff: ServiceDiff): void;
  problems(): readonly Problem[];
  /** Since when the oldest waits. */
  since(): number | undefined;
  stop(): void;
}

export interface RefusedOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The time has come to try it again. */
  readonly again: (held: Held) => void;
}

interface Entry extends Held {
  readonly problem: Problem;
  readonly cancel: () => void;
}

export function createRefusedPorts({ node, clock, log, again }: RefusedOptions): RefusedPorts {
  /** By id of the service port. */
  const entries = new Map<string, Entry>();
  const waits = new Map<string, Backoff>();

  function take(id: string): Entry | undefined {
    const entry = entries.get(id);
    entry?.cancel();
    entries.delete(id);
    return entry;
  }

  return {
    hold({ id, message: error }, held) {
      const [, namespace = "", name = ""] = /^([^/]*)\/([^:]*):/.exec(id) ?? [];
      const wait = waits.get(id) ?? createBackoff({ base: 1_000, limit: 30_000 });
      waits.set(id, wait);
      const waitMs = wait.next();
      const cancel = clock.after(waitMs, () => {
        if (take(id) !== undefined) again(held);
      });
      const message = `service port ${id} on ${node} stays as it was: ${error}; trying again`;
      const problem: Problem = { at: { kind: "Service", namespace, name }, code: "apply-failed", message };
      entries.set(id, { ...held, problem, cancel });
      log.warn({ node, service: id, error, waitMs }, "a service port was refused, all others are served");
    },
    release: (diff) => [...entries.keys()].filter((id) => concerns(diff, id)).flatMap((id) => take(id) ?? []),
    served(diff) {
      for (const id of waits.keys()) if (!entries.has(id) && concerns(diff, id)) waits.delete(id);
    },
    problems: () => [...entries.values()].map(({ problem }) => problem),
    since: () => [...entries.values()].map(({ since }) => since).sort((a, b) => a - b)[0],
    stop() {
      for (const { cancel } of entries.values()) cancel();
    },
  };
}
