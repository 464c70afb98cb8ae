import { close, constants, openSync, read, unlinkSync, write } from "node:fs";
import { randomUUID } from "node:crypto";
import { join } from "node:path";

/** How much of files one worker has in use, and where it makes them. */
export interface SpoolSpace {
  readonly directory: string;
  bytes: number;
}

/**
 * A file for what does not fit in memory. It has no name, so nobody else can open it and nothing is left behind, however
 * this process ends.
 */
export class Spool {
  size = 0;
  private readonly file: number;
  private readonly space: SpoolSpace;
  private busy = 0;
  private isClosed = false;

  /** Throws as `open` does. */
  constructor(space: SpoolSpace) {
    this.file = openUnnamed(space.directory);
    this.space = space;
  }

  /** Writes behind what was written; one call at a time. The bytes must stay as they are until `done`. */
  append(bytes: Buffer, done: (error: Error | undefined) => void): void {
    const at = this.size;
    this.size += bytes.length;
    this.space.bytes += bytes.length;
    this.busy += 1;
    const step = (from: number) =>
      write(this.file, bytes, from, bytes.length - from, at + from, (error, written) => {
        if (error === null && from + written < bytes.length) step(from + written);
        else this.settle(() => done(error ?? undefined));
      });
    step(0);
  }

  /** Reads from a place on into `into`; `done` with how many bytes it was. Nothing is called once it is closed. */
  read(at: number, into: Buffer, done: (error: Error | undefined, bytes: number) => void): void {
    this.busy += 1;
    read(this.file, into, 0, into.length, at, (error, bytes) => this.settle(() => done(error ?? undefined, bytes)));
  }

  /** Lets it go, once what is under way is over. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.space.bytes -= this.size;
    this.settleClosed();
  }

  private settle(tell: () => void): void {
    this.busy -= 1;
    if (this.isClosed) this.settleClosed();
    else tell();
  }

  private settleClosed(): void {
    // Nothing can be done about a file that does not close; it has no name, so the kernel frees it at the latest with us.
    if (this.busy === 0) close(this.file, () => {});
  }
}

/** `O_TMPFILE` of Linux, which Node has no name for. */
const unnamed = 0o20000000 | constants.O_DIRECTORY;

function openUnnamed(directory: string): number {
  try {
    return openSync(directory, unnamed | constants.O_RDWR | constants.O_EXCL, 0o600);
  } catch (error) {
    // Not every file system can; there it has a name nobody can guess, for a moment.
    if (!["EOPNOTSUPP", "EISDIR", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    const path = join(directory, `fairlead-${randomUUID()}`);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = openSync(path, flags, 0o600);
    unlinkSync(path);
    return file;
  }
}
