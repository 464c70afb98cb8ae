import { closeSync, fdatasync, openSync } from "node:fs";
import { promisify } from "node:util";
import type { DatabaseSync } from "node:sqlite";
import type { Entry, Store, StoreEvent } from "../contract.ts";
import { StoreError } from "../error.ts";
import { createGroupedStore } from "../group.ts";
import type { InitialState } from "../state.ts";
import { backupDatabase } from "./sqlite-backup.ts";
import { openDatabase, writeError } from "./sqlite-open.ts";

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
 * A store in one SQLite file (and its `-wal`), locked against a second process. `kv` holds what is, `log` what changed
 * since the compaction point, `meta` the counters. All commits of an event-loop turn share one transaction, synced to
 * disk before any of them is acknowledged. Rejects with `StoreError` naming the file and what to do.
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
  const log = openSync(`${path}-wal`, "r");
  /** Why nothing can be written any more: the file may hold what was never acknowledged. */
  let broken: StoreError | undefined;
  if (erase) database.exec("PRAGMA secure_delete = ON");
  if (limitBytes !== undefined) database.exec(`PRAGMA max_page_count = ${Math.ceil(limitBytes / pageBytes)}`);
  const insertEntry = database.prepare("INSERT OR REPLACE INTO kv (key, value, created, modified) VALUES (?, ?, ?, ?)");
  const deleteEntry = database.prepare("DELETE FROM kv WHERE key = ?");
  const insertLog = database.prepare(
    "INSERT INTO log (revision, key, value, created, old_value, old_created, old_modified) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const setMeta = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
  const prune = database.prepare("DELETE FROM log WHERE revision <= ?");

  function transaction(work: () => void): void {
    try {
      database.exec("BEGIN IMMEDIATE");
      work();
      database.exec("COMMIT");
    } catch (error) {
      rollback(database);
      throw writeError(path, error);
    }
  }

  function record({ key, revision, entry, previous }: StoreEvent): void {
    if (entry === undefined) deleteEntry.run(key);
    else insertEntry.run(key, entry.value, entry.createRevision, entry.modRevision);
    insertLog.run(
      revision,
      key,
      entry?.value ?? null,
      entry?.createRevision ?? null,
      previous?.value ?? null,
      previous?.createRevision ?? null,
      previous?.modRevision ?? null,
    );
  }

  async function syncLog(): Promise<void> {
    try {
      await sync(log);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const text = `${path}: syncing to disk failed (${why}), nothing more is written: check the disk and start again`;
      broken = new StoreError("io", text, error);
      throw broken;
    }
  }

  const store = createGroupedStore(initial, {
    persist(events, revision) {
      if (broken !== undefined) throw broken;
      transaction(() => {
        for (const event of events) record(event);
        setMeta.run("revision", revision);
      });
      return syncLog();
    },
    compact(revision) {
      transaction(() => {
        prune.run(revision);
        setMeta.run("oldest", revision);
      });
      // Gives the disk back what the log's writes took; harmless when a reader is in the way.
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    },
    close() {
      closeSync(log);
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
  const meta = new Map(
    database
      .prepare("SELECT name, value FROM meta")
      .all()
      .map((row) => [String(row["name"]), Number(row["value"])]),
  );
  const entries: Entry[] = database
    .prepare("SELECT key, value, created, modified FROM kv ORDER BY key")
    .all()
    .map((row) => entryOf(row["key"], row["value"], row["created"], row["modified"]) as Entry);
  const current = new Map(entries.map((entry) => [entry.key, entry]));
  const history: StoreEvent[] = database
    .prepare("SELECT * FROM log ORDER BY revision, position")
    .all()
    .map((row) => {
      const key = String(row["key"]);
      const revision = Number(row["revision"]);
      const written = entryOf(key, row["value"], row["created"], revision);
      const entry = written?.modRevision === current.get(key)?.modRevision ? current.get(key) : written;
      const previous = entryOf(key, row["old_value"], row["old_created"], row["old_modified"]);
      const type = entry === undefined ? "delete" : "put";
      return { type, key, revision, ...(entry && { entry }), ...(previous && { previous }) };
    });
  return { entries, history, revision: meta.get("revision") ?? 0, oldest: meta.get("oldest") ?? 0 };
}

function entryOf(key: unknown, value: unknown, created: unknown, modified: unknown): Entry | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  return { key: String(key), value, createRevision: Number(created), modRevision: Number(modified) };
}
