import type { IEvent, IKeyValue } from "etcd3";
import type { Entry, StoreEvent } from "../contract.ts";

/** etcd's way to say "every key" and "to the last key". */
export const firstKey = Buffer.from([0]);

/** `[key, range_end)` of all keys that start with `prefix`, after the key `after` when it is given. */
export function rangeOf(prefix: string, after?: string): { key: Buffer; range_end: Buffer } {
  const start = after === undefined ? Buffer.from(prefix) : Buffer.concat([Buffer.from(after), firstKey]);
  return { key: start.length === 0 ? firstKey : start, range_end: endOf(prefix) };
}

/** The first key after all those with the prefix: its last byte that can be counted up is. */
function endOf(prefix: string): Buffer {
  const bytes = Buffer.from(prefix);
  // No byte of UTF-8 is 0xff, so there is always room.
  const last = bytes.at(-1);
  if (last === undefined) return firstKey;
  bytes[bytes.length - 1] = last + 1;
  return bytes;
}

export function entryOf({ key, value, create_revision: created, mod_revision: modified }: IKeyValue): Entry {
  return { key: key.toString(), value, createRevision: Number(created), modRevision: Number(modified) };
}

export function eventOf({ type, kv, prev_kv: before }: IEvent): StoreEvent {
  const event = { key: kv.key.toString(), revision: Number(kv.mod_revision) };
  const was = (before as IKeyValue | null) === null ? {} : { previous: entryOf(before) };
  return type === "Delete"
    ? { ...event, type: "delete", ...was }
    : { ...event, type: "put", entry: entryOf(kv), ...was };
}
