import type { CommitResult, Entry, Store, StoreEvent, StoreSink, Write } from "../contract.ts";
import { StoreError } from "../error.ts";
import { sealedMark } from "./cipher.ts";
import type { Way } from "./rules.ts";

/** The ways of keeping the entry under a key. */
export type WaysOf = (key: string) => readonly Way[];

const mark = Buffer.from(sealedMark);

/**
 * A store whose entries are kept the first way of their key, and read by whichever way they are kept. Reads reject, and
 * watches end, with a `StoreError` that names the entry when none of its ways can read it.
 */
export function createEncryptedStore(store: Store, waysOf: WaysOf): Store {
  // What this process has sealed itself need not be opened again; and who wrote it knows it by its bytes.
  const plainOf = new WeakMap<Uint8Array, Uint8Array>();

  function seal(write: Write): Write {
    const [way] = waysOf(write.key);
    if (write.type === "delete" || way === undefined || way === "identity") return write;
    const sealed = way.seal(write.key, write.value);
    plainOf.set(sealed, write.value);
    return { ...write, value: sealed };
  }

  function open(entry: Entry): Entry {
    if (!isSealed(entry.value)) return asItIs(entry, waysOf(entry.key));
    const value = plainOf.get(entry.value) ?? openValue(entry, waysOf(entry.key));
    plainOf.set(entry.value, value);
    return { ...entry, value };
  }

  function openResult(result: CommitResult): CommitResult {
    return result.ok || result.current === undefined ? result : { ...result, current: open(result.current) };
  }

  function openEvent(event: StoreEvent): StoreEvent {
    const { entry, previous } = event;
    return { ...event, ...(entry && { entry: open(entry) }), ...(previous && { previous: open(previous) }) };
  }

  return {
    ...store,
    async get(key, atRevision) {
      const entry = await store.get(key, atRevision);
      return entry && open(entry);
    },
    async list(range) {
      const page = await store.list(range);
      return { ...page, entries: page.entries.map((entry) => open(entry)) };
    },
    commit: async (writes) => openResult(await store.commit(writes.map((write) => seal(write)))),
    watch: (prefix, since, sink) => store.watch(prefix, since, opening(sink, openEvent)),
  };
}

function opening(sink: StoreSink, openEvent: (event: StoreEvent) => StoreEvent): StoreSink {
  return {
    event: (event) => sink.event(openEvent(event)),
    progress: (revision) => sink.progress?.(revision),
    end: (reason, error) => sink.end(reason, error),
  };
}

export function isSealed(value: Uint8Array): boolean {
  return value.length >= mark.length && mark.equals(value.subarray(0, mark.length));
}

/** Whether an entry is kept by another way than the first of its ways. */
export function isStale({ key, value }: Entry, waysOf: WaysOf): boolean {
  const [way = "identity"] = waysOf(key);
  if (way === "identity") return isSealed(value);
  return !startsWith(value, way.prefix);
}

/** Somebody may have put it there who has no key: it counts only where that is said. */
function asItIs(entry: Entry, ways: readonly Way[]): Entry {
  if (ways.includes("identity")) return entry;
  const next = "add identity: {} as the last provider of its resource to read it";
  throw new StoreError("encrypted", `${entry.key} in the store is not encrypted: ${next}`);
}

function openValue({ key, value }: Entry, ways: readonly Way[]): Buffer {
  const way = ways.find((each) => each !== "identity" && startsWith(value, each.prefix));
  const [, , cipher, , name] = Buffer.from(value.subarray(0, 300)).toString("latin1").split(":");
  const told = `${key} in the store is encrypted with key "${name}" of ${cipher}`;
  if (way === undefined || way === "identity") {
    const next = "start with the --encryption-provider-config that has this key among its providers";
    throw new StoreError("encrypted", `${told}, which is not at hand: ${next}`);
  }
  try {
    return way.open(key, value);
  } catch (error) {
    const next = "give the name the secret that it had when this was written";
    throw new StoreError("encrypted", `${told}, and the key of this name does not open it: ${next}`, error);
  }
}

function startsWith(value: Uint8Array, prefix: string): boolean {
  return (
    Buffer.from(value.buffer, value.byteOffset, Math.min(value.length, prefix.length)).toString("latin1") === prefix
  );
}
