import type { Store } from "../contract.ts";

/**
 * A store in one SQLite file (and its `-wal`), locked against a second process. Rejects with `StoreError` naming the file
 * and what to do.
 */
export function openSqliteStore(_path: string): Promise<Store> {
  throw new Error("being built");
}
