import { CompactedError, type CommitResult, type Entry, type Range, type StoreEvent, type Write } from "./contract.ts";

/**
 * The entries of a store in memory: now, and back to the compaction point by undoing recent changes. Drivers that keep
 * their durable copy elsewhere answer every read from this.
 */
export interface State {
  revision(): number;
  oldest(): number;
  get(key: string, atRevision?: number): Entry | undefined;
  range(range: Range): { entries: Entry[]; revision: number; remaining: number };
  /** Changes under `prefix` after `since`; throws `CompactedError`. */
  since(prefix: string, since: number): StoreEvent[];
  apply(revision: number, events: readonly StoreEvent[]): void;
  compact(revision: number): void;
}

export interface InitialState {
  readonly entries: readonly Entry[];
  readonly revision: number;
  readonly oldest: number;
  readonly history: readonly StoreEvent[];
}

export const emptyState: InitialState = { entries: [], revision: 0, oldest: 0, history: [] };

export function createState(initial: InitialState): State {
  const entries = new Map(initial.entries.map((entry) => [entry.key, entry]));
  let history = [...initial.history];
  let { revision, oldest } = initial;
  let sorted: string[] | undefined;

  const sortedKeys = () => (sorted ??= [...entries.keys()].sort(byBytes));

  /** Index of the first change after `at`. */
  function after(at: number): number {
    let low = 0;
    let high = history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((history[middle] as StoreEvent).revision <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function checkKept(at: number): void {
    if (at < oldest) throw new CompactedError(at, oldest);
  }

  /** What stood under the changed keys of `prefix` at an older revision. */
  function undo(prefix: string, at: number): Map<string, Entry | undefined> {
    checkKept(at);
    const undone = new Map<string, Entry | undefined>();
    for (const { key, previous } of history.slice(after(at)).reverse()) {
      if (key.startsWith(prefix)) undone.set(key, previous);
    }
    return undone;
  }

  return {
    revision: () => revision,
    oldest: () => oldest,
    get(key, atRevision) {
      if (atRevision === undefined || atRevision >= revision) return entries.get(key);
      checkKept(atRevision);
      const change = history.slice(after(atRevision)).find((event) => event.key === key);
      return change === undefined ? entries.get(key) : change.previous;
    },
    range({ prefix, after: start, limit = Infinity, atRevision = revision }) {
      const shown = Math.min(atRevision, revision);
      let keys = sortedKeys();
      let read = (key: string) => entries.get(key);
      if (shown < revision) {
        const undone = undo(prefix, shown);
        const all = new Set([...keys, ...undone.keys()]);
        keys = [...all].sort(byBytes);
        read = (key) => (undone.has(key) ? undone.get(key) : entries.get(key));
      }
      const page: Entry[] = [];
      let remaining = 0;
      for (let index = firstAtLeast(keys, prefix); index < keys.length; index += 1) {
        const key = keys[index] as string;
        if (!key.startsWith(prefix)) break;
        if (start !== undefined && byBytes(key, start) <= 0) continue;
        const entry = read(key);
        if (entry === undefined) continue;
        if (page.length < limit) page.push(entry);
        else remaining += 1;
      }
      return { entries: page, revision: shown, remaining };
    },
    since(prefix, since) {
      checkKept(since);
      return history.slice(after(since)).filter((event) => event.key.startsWith(prefix));
    },
    apply(next, events) {
      revision = next;
      for (const event of events) {
        history.push(event);
        if (event.entry === undefined) {
          entries.delete(event.key);
          sorted = undefined;
        } else {
          if (!entries.has(event.key)) sorted = undefined;
          entries.set(event.key, event.entry);
        }
      }
    },
    compact(at) {
      if (at <= oldest) return;
      oldest = Math.min(at, revision);
      history = history.slice(after(oldest));
    },
  };
}

/** The changes of one commit under `revision`, or which expectation failed. `read` sees what earlier commits left. */
export function evaluate(
  writes: readonly Write[],
  revision: number,
  read: (key: string) => Entry | undefined,
): { events: StoreEvent[] } | Extract<CommitResult, { ok: false }> {
  for (const { key, expect } of writes) {
    const current = read(key);
    const holds = expect === undefined || (expect === "absent" ? !current : current?.modRevision === expect);
    if (!holds) return { ok: false, key, current };
  }
  const events: StoreEvent[] = [];
  for (const write of writes) {
    const previous = read(write.key);
    const was = previous === undefined ? {} : { previous };
    if (write.type === "put") {
      const createRevision = previous?.createRevision ?? revision;
      const entry = { key: write.key, value: write.value, createRevision, modRevision: revision };
      events.push({ type: "put", key: write.key, revision, entry, ...was });
    } else if (previous !== undefined) events.push({ type: "delete", key: write.key, revision, ...was });
  }
  return { events };
}

/** UTF-8 byte order, which differs from that of UTF-16 only beyond the surrogates. */
export function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  // oxlint-disable-next-line no-control-regex
  if (/[^\u0000-\uD7FF]/.test(a) || /[^\u0000-\uD7FF]/.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

function firstAtLeast(keys: readonly string[], prefix: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (byBytes(keys[middle] as string, prefix) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
