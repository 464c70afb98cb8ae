import { chmodSync, closeSync, copyFileSync, existsSync, openSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../error.ts";
import { checkOurs, openError, readRevision, writeError } from "./sqlite-open.ts";

/**
 * How far revisions jump when a backup is restored: what was written after it was made has revisions that clients know.
 * The number is the one that etcd's documentation names for `--bump-revision`.
 */
const revisionJump = 1_000_000_000;

/** Writes all there is into one new file, which only its owner may read. Throws `StoreError`, also when it is there. */
export function backupDatabase(database: DatabaseSync, path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "EEXIST" ? "it is there already" : (error as Error).message;
    throw new StoreError("io", `${path} cannot be written: ${why}`, error);
  }
  try {
    database.prepare("VACUUM INTO ?").run(path);
  } catch (error) {
    rmSync(path, { force: true });
    throw writeError(path, error);
  }
}

/** As `backupDatabase`, of a store that no process has open. */
export function backupFile(from: string, to: string): void {
  const database = openOurs(from);
  try {
    backupDatabase(database, to);
  } finally {
    database.close();
  }
}

/**
 * Puts a backup in the place of the store at `to`, which no process may have open. Its history is forgotten and its
 * revision is beyond every one that was given out, so that clients who know newer ones list anew. Answers the revision.
 * Throws `StoreError`; the store at `to` is as it was then.
 */
export function restoreFile(from: string, to: string): number {
  const next = `${to}.restoring`;
  rmSync(next, { force: true });
  try {
    closeSync(openSync(next, "wx", 0o600));
    copyFileSync(from, next);
    chmodSync(next, 0o600);
    const revision = forgetHistory(next, from, revisionOf(to));
    // A log of the old store must never be read into the new one.
    for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(to + suffix, { force: true });
    renameSync(next, to);
    return revision;
  } catch (error) {
    rmSync(next, { force: true });
    throw error instanceof StoreError ? error : openError(from, error);
  }
}

function forgetHistory(path: string, name: string, given: number): number {
  const database = openOurs(path, name);
  try {
    const check = database.prepare("PRAGMA quick_check").get();
    if (Object.values(check ?? {})[0] !== "ok") {
      throw new StoreError("damaged", `${name} is damaged: restore another backup`);
    }
    const revision = Math.max(given, readRevision(database)) + revisionJump;
    database.exec("BEGIN IMMEDIATE; DELETE FROM log");
    const setMeta = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)");
    setMeta.run("revision", revision);
    setMeta.run("oldest", revision);
    database.exec("COMMIT");
    return revision;
  } finally {
    database.close();
  }
}

/** The newest revision that the store at `path` gave out; 0 when there is none, or when it cannot be read any more. */
function revisionOf(path: string): number {
  if (!existsSync(path)) return 0;
  try {
    const database = openOurs(path);
    try {
      return readRevision(database);
    } finally {
      database.close();
    }
  } catch {
    return 0;
  }
}

function openOurs(path: string, name = path): DatabaseSync {
  if (!existsSync(path)) throw new StoreError("io", `${name} is not there`);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    checkOurs(name, database);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof StoreError ? error : openError(name, error);
  }
}
