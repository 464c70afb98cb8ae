import type { Entry, Store } from "../contract.ts";
import { createEncryptedStore, isStale, type WaysOf } from "./store.ts";

/** So many entries are written at once. */
const batch = 100;

/**
 * Writes every entry anew that is kept by another way than the first of its ways, and then forgets the history, in which
 * the old forms stand. `store` is the one below the encryption. Answers how many were written. Rejects with `StoreError`
 * when one cannot be read.
 */
export async function rewriteStale(store: Store, waysOf: WaysOf): Promise<number> {
  const encrypted = createEncryptedStore(store, waysOf);
  const { entries } = await store.list({ prefix: "" });
  const stale = entries.filter((entry) => isStale(entry, waysOf));
  for (let from = 0; from < stale.length; from += batch) {
    await Promise.all(stale.slice(from, from + batch).map((entry) => rewrite(encrypted, entry)));
  }
  if (stale.length > 0) await store.compact(await store.revision());
  return stale.length;
}

/** One that another process writes meanwhile is written by its rules. */
async function rewrite(store: Store, { key, modRevision }: Entry): Promise<void> {
  const entry = await store.get(key);
  if (entry?.modRevision !== modRevision) return;
  await store.commit([{ type: "put", key, value: entry.value, expect: modRevision }]);
}
