import { ChunkDecoder } from "#wire/http1/chunked.ts";
import { chunkedBody, untilClose } from "#wire/http1/framing.ts";

/** Follows a body as its head announced it. */
export class BodyReader {
  done = true;
  /** Content bytes so far, chunk framing not counted. */
  bytes = 0;
  decoder: ChunkDecoder | undefined;
  /** Nothing but the end of the connection ends the body. */
  untilClose = false;
  private left = 0;

  begin(framing: number): void {
    this.done = framing === 0;
    this.bytes = 0;
    this.untilClose = framing === untilClose;
    this.left = framing === chunkedBody ? 0 : framing;
    this.decoder = framing === chunkedBody ? new ChunkDecoder() : undefined;
  }

  /** Takes what belongs to the body; returns the position behind it, or a refusal of the chunk decoder. */
  feed(bytes: Buffer, start: number, end: number): number {
    if (this.done) return start;
    const { decoder } = this;
    if (decoder !== undefined) {
      const at = decoder.feed(bytes, start, end);
      this.bytes = decoder.decoded;
      this.done = decoder.finished;
      return at;
    }
    const stop = Math.min(end, start + this.left);
    this.bytes += stop - start;
    if (!this.untilClose) {
      this.left -= stop - start;
      this.done = this.left === 0;
    }
    return stop;
  }
}
