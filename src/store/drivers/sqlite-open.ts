import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../error.ts";

/** `FRLD`: tells our files from other programs' SQLite files. */
const applicationId = 0x46524c44;
const schemaVersion = 2;

/**
 * `kv` is in the order of its making: what is written together then stands together, whatever the keys. A row of `log`
 * has what was there before it; what came after it is in the next row of its key, or in `kv`.
 */
const kvTable = (name: string) => `CREATE TABLE ${name} (position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,
  value BLOB NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL);`;

const schema = `
  ${kvTable("kv")}
  CREATE TABLE log (position INTEGER PRIMARY KEY, revision INTEGER NOT NULL, key TEXT NOT NULL,
    old_value BLOB, old_created INTEGER, old_modified INTEGER);
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

/** From the first format, whose `kv` was in the order of its keys, and whose `log` had both sides of a change. */
const migration = `
  ${kvTable("kv2")}
  INSERT INTO kv2 (key, value, created, modified) SELECT key, value, created, modified FROM kv ORDER BY modified;
  DROP TABLE kv;
  ALTER TABLE kv2 RENAME TO kv;
  DROP INDEX log_revision;
  ALTER TABLE log DROP COLUMN value;
  ALTER TABLE log DROP COLUMN created;
  PRAGMA user_version = ${schemaVersion};
`;

/** Primary result codes of sqlite.org/rescode.html. */
const codes = { busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };

/**
 * Opens or creates the file, takes its lock, checks that it is ours, and reads it with `load`. Throws `StoreError`; the
 * file is closed then.
 */
export function openDatabase<T>(
  path: string,
  load: (database: DatabaseSync) => T,
): { database: DatabaseSync; initial: T } {
  let database: DatabaseSync | undefined;
  try {
    createPrivate(path);
    database = new DatabaseSync(path);
    // EXCLUSIVE holds the file's lock from the first access on; the kernel releases it however the process ends.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.exec("BEGIN IMMEDIATE");
    const isNew = Number(database.prepare("SELECT count(*) AS count FROM sqlite_master").get()?.["count"]) === 0;
    if (isNew) database.exec(schema);
    else if (checkOurs(path, database) === 1) database.exec(migration);
    database.exec("COMMIT");
    return { database, initial: load(database) };
  } catch (error) {
    if (database?.isOpen) database.close();
    throw error instanceof StoreError ? error : openError(path, error);
  }
}

/** Secrets are inside: nobody but the owner may read the file or its siblings. */
function createPrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
}

/** The version of its format. Throws `StoreError` for another program's file, or one of a newer Fairlead. */
export function checkOurs(path: string, database: DatabaseSync): number {
  const pragma = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  if (pragma("application_id") !== applicationId) throw foreign(path);
  const version = pragma("user_version");
  if (version > schemaVersion) {
    throw new StoreError("too-new", `${path} was written by a newer Fairlead (format ${version}): start that version`);
  }
  return version;
}

/** The newest revision: compaction writes down what it was then, and each change has its own. */
export function readRevision(database: DatabaseSync): number {
  const noted = database.prepare("SELECT value FROM meta WHERE name = 'revision'").get()?.["value"];
  const newest = database.prepare("SELECT revision FROM log ORDER BY position DESC LIMIT 1").get()?.["revision"];
  return Math.max(Number(noted ?? 0), Number(newest ?? 0));
}

function foreign(path: string, cause?: unknown): StoreError {
  return new StoreError("foreign", `${path} is not a Fairlead store: name another file, or move this one away`, cause);
}

function damaged(path: string, message: string, cause: unknown): StoreError {
  return new StoreError(
    "damaged",
    `${path} is damaged (${message}): restore a copy, or move it away to start empty`,
    cause,
  );
}

/** Why a file could not be opened. */
export function openError(path: string, error: unknown): StoreError {
  const { errcode = 0, message } = error as Error & { errcode?: number };
  switch (errcode & 0xff) {
    case codes.busy:
    case codes.locked:
      return new StoreError(
        "locked",
        `${path} is in use by another Fairlead: stop that one, or name another file`,
        error,
      );
    case codes.notADatabase:
      return foreign(path, error);
    case codes.corrupt:
      return damaged(path, message, error);
    default:
      return new StoreError(
        "io",
        `${path} cannot be opened (${message}): check the folder, its owner and free space`,
        error,
      );
  }
}

/** What a failed transaction means to the one who wrote. */
export function writeError(path: string, error: unknown): StoreError {
  const { errcode = 0, message } = error as Error & { errcode?: number };
  switch (errcode & 0xff) {
    case codes.full:
      return new StoreError("full", `${path}: no space left, the change was not made: free space and try again`, error);
    case codes.corrupt:
    case codes.notADatabase:
      return damaged(path, message, error);
    default:
      return new StoreError(
        "io",
        `${path}: writing failed (${message}), the change was not made: check the disk`,
        error,
      );
  }
}
