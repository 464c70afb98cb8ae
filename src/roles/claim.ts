import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Takes a data folder for this process alone, or answers `undefined` when another process has it. The kernel lets go of
 * it however the process ends. Throws when the folder cannot be written.
 */
export function claimFolder(file: string): { release(): void } | undefined {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, "a", 0o600));
  // Node has no file locks of its own; SQLite takes one, in one step, and writes nothing.
  const lock = new DatabaseSync(file);
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    const { errcode } = error as { errcode?: number };
    if (errcode === busy) return undefined;
    throw errcode === full ? Object.assign(new Error("no space left on device"), { code: "ENOSPC" }) : error;
  }
  return { release: () => lock.close() };
}

// sqlite.org/rescode.html
const busy = 5;
const full = 13;
