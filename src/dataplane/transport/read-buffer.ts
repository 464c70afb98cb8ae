import { headroom } from "./connection.ts";

/** What a read from an endpoint may bring: enough for most answers at first, more once an answer filled it. */
const firstReadBytes = 16 * 1024;
const readBytes = 64 * 1024;

/** Memory that a connection to an endpoint reads into again and again, with room in front for a head. */
export class ReadBuffer {
  /** What is read into: the memory behind the room. */
  window: Uint8Array;
  whole: Buffer;
  private size = firstReadBytes;

  constructor() {
    this.whole = Buffer.allocUnsafeSlow(headroom + firstReadBytes);
    this.window = this.whole.subarray(headroom);
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
