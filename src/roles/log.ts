import { pino } from "pino";
import type { Log } from "#base/log.ts";

/** A log that appends JSON lines to a file. Writes are collected and flushed at the latest when the process ends. */
export function openLog(file: string, name: string): Log {
  const level = process.env["FAIRLEAD_LOG_LEVEL"] ?? "info";
  const destination = pino.destination({ dest: file, mkdir: true, sync: true, mode: 0o600 });
  return pino({ name, level }, destination);
}
