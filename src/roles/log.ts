import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { pino } from "pino";
import type { Log } from "#base/log.ts";

/** A log that has grown to this begins anew, and the one before is kept beside it: clients can cause lines without end. */
const largestBytes = 16 << 20;

/** A log that appends JSON lines to a file. A full disk costs lines, never the process. */
export function openLog(file: string, name: string, limit: number = largestBytes): Log {
  const level = process.env["FAIRLEAD_LOG_LEVEL"] ?? "info";
  return pino({ name, level }, openFile(file, limit));
}

/** A log that writes JSON lines to a stream, for parts that run in the foreground. */
export function openStreamLog(stream: { write(line: string): unknown }, name: string): Log {
  const level = process.env["FAIRLEAD_LOG_LEVEL"] ?? "info";
  return pino({ name, level }, { write: (line: string) => void stream.write(line) });
}

function openFile(file: string, limit: number): { write(line: string): void } {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  let descriptor = openSync(file, "a", 0o600);
  let { size } = fstatSync(descriptor);

  function beginAnew(): void {
    renameSync(file, `${file}.1`);
    const next = openSync(file, "a", 0o600);
    closeSync(descriptor);
    descriptor = next;
    size = 0;
  }

  return {
    write(line) {
      try {
        if (size >= limit) beginAnew();
        size += writeSync(descriptor, line);
      } catch {
        // No space, or the folder has been removed: there is nowhere to tell it.
      }
    },
  };
}
