import { headroom } from "./connection.ts";

/** What a read from an endpoint may bring: enough for most answers at first, more once an answer filled it. */
const firstReadBytes = 16 * 1024;
const readBytes = 64 * 1024;
/** How much memory for reading is kept for the next connections. */
const sparesKept = 128;

/** Memory that a connection to an endpoint reads into again and again, with room in front for a head. */
export class ReadBuffer {
  /** What is read into: the memory behind the room. */
  window: Uint8Array;
  whole: Buffer;
  private size = firstReadBytes;
  private readonly spares: Buffer[] | undefined;

  /** Takes its first memory from `spares`, and leaves it there when it is released. */
  constructor(spares?: Buffer[]) {
    this.spares = spares;
    this.whole = spares?.pop() ?? Buffer.allocUnsafeSlow(headroom + firstReadBytes);
    this.window = this.whole.subarray(headroom);
  }

  /** The connection is closed: what was read has been copied by then, or `replace` was called for it. */
  release(): void {
    const { spares, whole, size } = this;
    if (spares !== undefined && size === firstReadBytes && spares.length < sparesKept) spares.push(whole);
  }

  /** After a read of so many bytes was told: one that filled the memory asks for more of it. */
  noteRead(length: number): void {
    if (length < this.size || this.size === readBytes) return;
    this.size = readBytes;
    this.replace();
  }

  /** Reads go elsewhere from now on; what was read stays. */
  replace(): void {
    this.whole = Buffer.allocUnsafeSlow(headroom + this.size);
    this.window = this.whole.subarray(headroom);
  }
}
