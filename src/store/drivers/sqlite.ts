import { closeSync, fdatasync, openSync } from "node:fs";
import { promisify } from "node:util";
import type { DatabaseSync } from "node:sqlite";
import type { Entry, Store, StoreEvent } from "../contract.ts";
import { StoreError } from "../error.ts";
import { createGroupedStore } from "../group.ts";
import type { InitialState } from "../state.ts";
import { backupDatabase } from "./sqlite-backup.ts";
import { openDatabase, readRevision, writeError } from "./sqlite-open.ts";

/** SQLite's default page. */
const pageBytes = 4096;

export interface SqliteOptions {
  /** What is deleted or replaced is overwritten in the file, and not only left free. */
  erase?: boolean;
  /** The file grows no further: writes beyond are refused as if the disk were full. */
  limitBytes?: number;
  /** In place of fdatasync(2), for tests. */
  sync?: (file: number) => Promise<void>;
}

/**
 * A store in one SQLite file (and its `-wal`), locked against a second process. `kv` holds what is, `log` what was
 * before each change since the compaction point, `meta` the counters. All commits of an event-loop turn share one
 * transaction, synced to disk before any of them is acknowledged. Rejects with `StoreError` naming the file and what to do.
 *
 * SQLite writes to the `-wal` and we sync that file: this process goes on meanwhile, and what is committed until then is
 * the next transaction. `synchronous = NORMAL` is the level that leaves just this sync to us (sqlite.org/pragma.html).
 */
export async function openSqliteStore(
  path: string,
  { limitBytes, erase = false, sync = promisify(fdatasync) }: SqliteOptions = {},
): Promise<Store> {
  const { database, initial } = openDatabase(path, load);
  database.exec("PRAGMA synchronous = NORMAL");
  // SQLite's locks are on its other files: that this one is closed some time releases none of them.
  const writeAhead = openSync(`${path}-wal`, "r");
  /** Why nothing can be written any more: the file may hold what was never acknowledged. */
  let broken: StoreError | undefined;
  if (erase) database.exec("PRAGMA secure_delete = ON");
  if (limitBytes !== undefined) database.exec(`PRAGMA max_page_count = ${Math.ceil(limitBytes / pageBytes)}`);
  const putEntry = database.prepare(
    `INSERT INTO kv (key, value, created, modified) VALUES (?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, created = excluded.created, modified = excluded.modified`,
  );
  const deleteEntry = database.prepare("DELETE FROM kv WHERE key = ?");
  const insertLog = database.prepare(
    "INSERT INTO log (revision, key, old_value, old_created, old_modified) VALUES (?, ?, ?, ?, ?)",
  );
  const setMeta = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
  // Revisions rise with the position: no more is read than what goes, and one row.
  const firstKept = database.prepare("SELECT position FROM log WHERE revision > ? ORDER BY position LIMIT 1");
  const prune = database.prepare("DELETE FROM log WHERE position < ?");
  const [begin, commit] = [database.prepare("BEGIN IMMEDIATE"), database.prepare("COMMIT")];

  function transaction(work: () => void): void {
    try {
      begin.run();
      work();
      commit.run();
    } catch (error) {
      rollback(database);
      throw writeError(path, error);
    }
  }

  function record({ key, revision, entry, previous }: StoreEvent): void {
    if (entry === undefined) deleteEntry.run(key);
    else putEntry.run(key, entry.value, entry.createRevision, entry.modRevision);
    insertLog.run(
      revision,
      key,
      previous?.value ?? null,
      previous?.createRevision ?? null,
      previous?.modRevision ?? null,
    );
  }

  async function syncLog(): Promise<void> {
    try {
      await sync(writeAhead);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const text = `${path}: syncing to disk failed (${why}), nothing more is written: check the disk and start again`;
      broken = new StoreError("io", text, error);
      throw broken;
    }
  }

  const store = createGroupedStore(initial, {
    persist(events) {
      if (broken !== undefined) throw broken;
      transaction(() => {
        for (const event of events) record(event);
      });
      return syncLog();
    },
    compact(revision) {
      transaction(() => {
        setMeta.run("revision", readRevision(database));
        prune.run(firstKept.get(revision)?.["position"] ?? Number.MAX_SAFE_INTEGER);
        setMeta.run("oldest", revision);
      });
      // Gives the disk back what the log's writes took; harmless when a reader is in the way.
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    },
    close() {
      closeSync(writeAhead);
      database.close();
    },
    schedule: (flush) => setImmediate(flush),
  });
  return { ...store, backup: async (to) => backupDatabase(database, to) };
}

function rollback(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back on its own, as it does when the disk is full.
  }
}

function load(database: DatabaseSync): InitialState {
  const oldest = Number(database.prepare("SELECT value FROM meta WHERE name = 'oldest'").get()?.["value"] ?? 0);
  const entries: Entry[] = database
    .prepare("SELECT key, value, created, modified FROM kv")
    .all()
    .map((row) => entryOf(row["key"], row["value"], row["created"], row["modified"]) as Entry);
  return { entries, history: loadHistory(database, entries), revision: readRevision(database), oldest };
}

/** From what is there now back through what was there before: each change's outcome is what the next one found. */
function loadHistory(database: DatabaseSync, entries: readonly Entry[]): StoreEvent[] {
  const then = new Map(entries.map((entry) => [entry.key, entry]));
  const rows = database.prepare("SELECT * FROM log ORDER BY position DESC").all();
  const history = rows.map((row): StoreEvent => {
    const key = String(row["key"]);
    const entry = then.get(key);
    const previous = entryOf(key, row["old_value"], row["old_created"], row["old_modified"]);
    if (previous === undefined) then.delete(key);
    else then.set(key, previous);
    const type = entry === undefined ? "delete" : "put";
    return { type, key, revision: Number(row["revision"]), ...(entry && { entry }), ...(previous && { previous }) };
  });
  return history.reverse();
}

function entryOf(key: unknown, value: unknown, created: unknown, modified: unknown): Entry | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  return { key: String(key), value, createRevision: Number(created), modRevision: Number(modified) };
}
