import type { HeadWriter } from "../http1/writer.ts";

/** What bodies that are kept may take of a worker's memory, all requests together. */
export const mostKeptBytes = 64 * 1024 * 1024;

/** How much of it is in use. */
export interface KeptBytes {
  bytes: number;
}

/**
 * What was sent of a request's body beyond the part that came with its head, so that it can be sent once more. It is
 * whole, or it is of no use: a body that grows beyond what may be kept is let go.
 */
export class KeptBody {
  isWhole = true;
  private readonly parts: Buffer[] = [];
  private size = 0;
  private readonly most: number;
  private readonly shared: KeptBytes;

  constructor(most: number, shared: KeptBytes) {
    this.most = most;
    this.shared = shared;
  }

  add(bytes: Buffer, start: number, end: number): void {
    if (!this.isWhole || end === start) return;
    const length = end - start;
    if (this.size + length > this.most || this.shared.bytes + length > mostKeptBytes) {
      this.release();
      return;
    }
    this.size += length;
    this.shared.bytes += length;
    this.parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  writeTo(writer: HeadWriter): void {
    for (const part of this.parts) writer.bytes(part);
  }

  /** Lets it go. */
  release(): void {
    this.isWhole = false;
    this.parts.length = 0;
    this.shared.bytes -= this.size;
    this.size = 0;
  }
}
