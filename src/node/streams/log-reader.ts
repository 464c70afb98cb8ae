import { watch } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import { isSince, parseLogLine, renderLogLine, type LogLine } from "./log-lines.ts";
import type { LogOptions } from "./request.ts";

const blockBytes = 64 << 10;
/** A missed change is found by looking this often. */
const lookMs = 1_000;

export interface FollowOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Where to begin, in bytes from the start. */
  readonly from: number;
  readonly follow: boolean;
  /** Whether more can still come. */
  readonly isOver: () => boolean;
  /** Calls back when `isOver` may have turned; returns how to stop. */
  readonly onOver: (callback: () => void) => () => void;
}

/** The lines of a log file from an offset on, and with `follow` those that are still to come. */
export async function* readLogLines(options: FollowOptions): AsyncGenerator<LogLine> {
  const { path, signal, follow, isOver } = options;
  let file = await open(path, "r");
  const alarm = createAlarm(options);
  try {
    let offset = options.from;
    let rest: Buffer = Buffer.alloc(0);
    const block = Buffer.alloc(blockBytes);
    while (!signal.aborted) {
      const wasOver = isOver();
      const { bytesRead } = await file.read(block, 0, block.length, offset);
      if (bytesRead === 0) {
        if (!follow || wasOver) return;
        const next = await openSuccessor(path, file);
        if (next === undefined) await alarm.next();
        else {
          await file.close();
          file = next;
          offset = 0;
        }
        continue;
      }
      offset += bytesRead;
      let text = Buffer.concat([rest, block.subarray(0, bytesRead)]);
      for (let end = text.indexOf(10); end !== -1; end = text.indexOf(10)) {
        const line = parseLogLine(text.subarray(0, end));
        text = text.subarray(end + 1);
        if (line !== undefined) yield line;
      }
      rest = text;
    }
  } finally {
    alarm.stop();
    await file.close();
  }
}

/** The file that has taken the place of one that grew too large, if there is one. */
async function openSuccessor(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const next = await open(path, "r").catch(() => undefined);
  if (next === undefined) return undefined;
  const [now, before] = [await next.stat(), await file.stat()];
  if (now.ino !== before.ino || now.size < before.size) return next;
  await next.close();
  return undefined;
}

/** Wakes whoever waits when the file grows, the container ends, or the reader goes away. */
function createAlarm({ path, clock, signal, follow, onOver }: FollowOptions) {
  if (!follow) return { next: () => Promise.resolve(), stop: () => {} };
  let rung = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    rung = true;
    wake?.();
  };
  const watcher = watch(path, ring);
  watcher.on("error", () => {});
  const stopOver = onOver(ring);
  signal.addEventListener("abort", ring, { once: true });
  return {
    async next() {
      const cancel = clock.after(lookMs, ring);
      if (!rung) await new Promise<void>((resolve) => (wake = resolve));
      cancel();
      rung = false;
    },
    stop() {
      watcher.close();
      stopOver();
      signal.removeEventListener("abort", ring);
    },
  };
}

/** The offset of the last `count` lines of a file. */
export async function tailOffset(path: string, count: number): Promise<number> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    return await findTail(file, size, count);
  } finally {
    await file.close();
  }
}

async function findTail(file: FileHandle, size: number, count: number): Promise<number> {
  if (count === 0) return size;
  const block = Buffer.alloc(blockBytes);
  let seen = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    for (let index = bytesRead - 1; index >= 0; index -= 1) {
      // The line feed at the very end closes the last line; it begins none.
      if (block[index] !== 10 || start + index === size - 1) continue;
      seen += 1;
      if (seen === count) return start + index + 1;
    }
    end = start;
  }
  return 0;
}

export type LogSource = Omit<FollowOptions, "from" | "follow">;

/** The text of a log as `kubectl logs` shows it. */
export async function* renderLogs(source: LogSource, options: LogOptions): AsyncGenerator<Buffer> {
  const { follow, timestamps, tailLines, limitBytes = Infinity, since } = options;
  const from = tailLines === undefined ? 0 : await tailOffset(source.path, tailLines);
  let left = limitBytes;
  let starts = true;
  for await (const line of readLogLines({ ...source, from, follow })) {
    if (since !== undefined && !isSince(line, since)) continue;
    if (options.stream !== undefined && options.stream !== line.stream) continue;
    const bytes = renderLogLine(line, timestamps, starts);
    starts = !line.partial;
    yield bytes.subarray(0, Math.min(left, bytes.length));
    left -= bytes.length;
    if (left <= 0) return;
  }
}
