import { defaultFrameBytes, errorCode, frameHeadBytes, readUint31 } from "./frame.ts";

/** Told of every whole frame; `bytes[start..end]` is its payload. Returns 0, or an error code that ends the connection. */
export type OnFrame = (
  type: number,
  flags: number,
  stream: number,
  bytes: Buffer,
  start: number,
  end: number,
) => number;

/** Cuts a stream of bytes into frames (RFC 9113 section 4.1). Holds at most one frame that has not come whole. */
export class FrameReader {
  private readonly onFrame: OnFrame;
  private held: Buffer | undefined;
  private heldLength = 0;

  constructor(onFrame: OnFrame) {
    this.onFrame = onFrame;
  }

  /** Whether a frame has begun and not ended. */
  get partial(): boolean {
    return this.held !== undefined;
  }

  /** Returns 0, or the error code of `onFrame`, or `frameSize` as soon as a head announces more than we take. */
  feed(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (this.held !== undefined) {
      const { held } = this;
      const whole = this.heldLength < frameHeadBytes ? frameHeadBytes : frameHeadBytes + lengthAt(held, 0);
      const taken = Math.min(whole - this.heldLength, end - at);
      bytes.copy(held, this.heldLength, at, at + taken);
      this.heldLength += taken;
      at += taken;
      if (this.heldLength < whole) return 0;
      if (lengthAt(held, 0) > defaultFrameBytes) return errorCode.frameSize;
      // The head is there: either the payload is too, or it follows.
      if (this.heldLength < frameHeadBytes + lengthAt(held, 0)) return this.feed(bytes, at, end);
      this.held = undefined;
      const error = this.emit(held, 0, this.heldLength);
      if (error !== 0) return error;
    }
    while (end - at >= frameHeadBytes) {
      const length = lengthAt(bytes, at);
      if (length > defaultFrameBytes) return errorCode.frameSize;
      const next = at + frameHeadBytes + length;
      if (next > end) break;
      const error = this.emit(bytes, at, next);
      if (error !== 0) return error;
      at = next;
    }
    if (at < end) {
      this.held = Buffer.allocUnsafe(frameHeadBytes + defaultFrameBytes);
      this.heldLength = bytes.copy(this.held, 0, at, end);
    }
    return 0;
  }

  private emit(bytes: Buffer, at: number, end: number): number {
    const type = bytes[at + 3] ?? 0;
    return this.onFrame(type, bytes[at + 4] ?? 0, readUint31(bytes, at + 5), bytes, at + frameHeadBytes, end);
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}
