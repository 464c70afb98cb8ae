import type { Log, LogFields } from "./log.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** A log whose records go to a function, e.g. to be written by another thread or process. */
export function logTo(write: (level: LogLevel, fields: LogFields, message: string) => void, own: LogFields = {}): Log {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => write(level, { ...own, ...fields }, message);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => logTo(write, { ...own, ...fields }),
  };
}
