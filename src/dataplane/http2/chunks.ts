import { ChunkDecoder } from "#wire/http1/chunked.ts";

/** Takes a body that came in chunks apart: its data, and the lines behind it. */
export class ChunkSplitter {
  private readonly decoder = new ChunkDecoder();
  private trailers: Buffer | undefined;
  /** The stretches of data that the last `feed` found: start, end, start, end. */
  readonly stretches: number[] = [];

  constructor() {
    this.decoder.onData = (start, end) => this.stretches.push(start, end);
  }

  get finished(): boolean {
    return this.decoder.finished;
  }

  /** The trailer section with the empty line at its end. */
  get section(): Buffer {
    return this.trailers ?? nothing;
  }

  /** Whether these bytes are chunks. */
  feed(bytes: Buffer, start: number, end: number): boolean {
    const { decoder, stretches } = this;
    stretches.length = 0;
    const at = decoder.feed(bytes, start, end);
    if (at < 0) return false;
    if (decoder.trailersAt >= 0 && at - decoder.trailersAt + (this.trailers?.length ?? 0) > 2) {
      this.trailers = Buffer.concat([this.section, bytes.subarray(decoder.trailersAt, at)]);
    }
    return true;
  }
}

const nothing = Buffer.alloc(0);
const crlf = Buffer.from("\r\n", "latin1");
const end = Buffer.from("0\r\n", "latin1");

/** Data as a chunk. When it is the last, `trailers`, whole lines without the empty one, end the body. */
export function renderChunk(data: Buffer, last: boolean, trailers: Buffer = nothing): Buffer {
  const parts = data.length === 0 ? [] : [Buffer.from(`${data.length.toString(16)}\r\n`, "latin1"), data, crlf];
  return Buffer.concat(last ? [...parts, end, trailers, crlf] : parts);
}
