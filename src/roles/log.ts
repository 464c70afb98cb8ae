import { renameSync, statSync } from "node:fs";
import { pino } from "pino";
import type { Log } from "#base/log.ts";

/** What a log may have grown to when it is opened; then it begins anew, and the one before is kept beside it. */
const largestBytes = 16 << 20;

/** A log that appends JSON lines to a file. A full disk costs lines, never the process. */
export function openLog(file: string, name: string): Log {
  const level = process.env["FAIRLEAD_LOG_LEVEL"] ?? "info";
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > largestBytes) renameSync(file, `${file}.1`);
  const destination = pino.destination({ dest: file, mkdir: true, sync: true, mode: 0o600 });
  destination.on("error", () => {});
  return pino({ name, level }, destination);
}
