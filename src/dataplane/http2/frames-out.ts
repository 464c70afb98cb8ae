import type { ByteWriter } from "#wire/http2/byte-writer.ts";
import { defaultFrameBytes, flag, frameHeadBytes, frameType, writeFrameHead, writeUint32 } from "#wire/http2/frame.ts";
import { HpackEncoder } from "#wire/http2/hpack/encoder.ts";
import { lent, type Connection } from "../transport/connection.ts";
import { substantialBytes } from "./budget.ts";
import { flushSoon, type Flushable } from "./flush.ts";
import { giveBuffer, takeBuffer } from "./out-buffer.ts";
import type { Http2Session } from "./session.ts";

/** Writes the fields of a header block. */
export type BlockWriter = (encoder: HpackEncoder, out: ByteWriter) => void;

/** Written and not gone: beyond this, streams wait. */
const fullBytes = 64 * 1024;
/** Beyond this the peer makes us talk and does not listen. */
const deafBytes = 4 * 1024 * 1024;

/** What a session has to say: frames of all its streams gather in one buffer, which leaves once in a turn of the loop. */
export class FramesOut implements Flushable {
  private readonly session: Http2Session;
  private readonly connection: Connection;
  private readonly encoder = new HpackEncoder();
  private out: ByteWriter | undefined;
  private outgoing: ByteWriter | undefined;
  private asked = false;
  private silent = false;

  constructor(session: Http2Session, connection: Connection) {
    this.session = session;
    this.connection = connection;
  }

  /** Whether so much waits to leave that streams should not add to it. */
  get full(): boolean {
    return (this.out?.length ?? 0) + (this.outgoing?.length ?? 0) > fullBytes;
  }

  /** Whether the peer takes nothing of what it made us say. */
  get isUnheard(): boolean {
    return (this.out?.length ?? 0) > deafBytes;
  }

  /** The peer keeps a table of this size, in bytes, of fields it was told. */
  setTableSize(bytes: number): void {
    this.encoder.setTableSize(bytes);
  }

  private buffer(): ByteWriter {
    this.out ??= takeBuffer();
    if (!this.asked && this.outgoing === undefined) {
      this.asked = true;
      flushSoon(this);
    }
    return this.out;
  }

  writeBytes(bytes: Buffer): void {
    this.buffer().copy(bytes, 0, bytes.length);
  }

  private writeFrame(
    { type, flags, stream }: { readonly type: number; readonly flags: number; readonly stream: number },
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const out = this.buffer();
    out.reserve(frameHeadBytes + end - start);
    writeFrameHead(out.bytes, out.length, { length: end - start, type, flags, stream });
    out.length += frameHeadBytes;
    out.copy(bytes, start, end);
  }

  writeData(stream: number, flags: number, bytes: Buffer, start: number, end: number): void {
    this.writeFrame({ type: frameType.data, flags, stream }, bytes, start, end);
    if (end - start >= substantialBytes) this.session.refund();
  }

  /** Writes a header block, in as many frames as it takes. */
  writeHeaders(stream: number, write: BlockWriter, last: boolean): void {
    const out = this.buffer();
    const at = out.length;
    out.reserve(frameHeadBytes);
    out.length += frameHeadBytes;
    this.encoder.begin(out);
    write(this.encoder, out);
    const length = out.length - at - frameHeadBytes;
    const ends = last ? flag.endStream : 0;
    if (length <= defaultFrameBytes) {
      const flags = flag.endHeaders | ends;
      writeFrameHead(out.bytes, at, { length, type: frameType.headers, flags, stream });
      return;
    }
    const block = Buffer.from(out.bytes.subarray(at + frameHeadBytes, out.length));
    out.length = at;
    for (let from = 0; from < block.length; from += defaultFrameBytes) {
      const to = Math.min(block.length, from + defaultFrameBytes);
      const type = from === 0 ? frameType.headers : frameType.continuation;
      const flags = (from === 0 ? ends : 0) | (to === block.length ? flag.endHeaders : 0);
      this.writeFrame({ type, flags, stream }, block, from, to);
    }
  }

  writeReset(stream: number, code: number): void {
    this.writeNumber(frameType.rstStream, stream, code);
  }

  writeWindowUpdate(stream: number, by: number): void {
    this.writeNumber(frameType.windowUpdate, stream, by);
  }

  private writeNumber(type: number, stream: number, value: number): void {
    const payload = Buffer.allocUnsafe(4);
    writeUint32(payload, 0, value);
    this.writeFrame({ type, flags: 0, stream }, payload, 0, 4);
  }

  writePing(): void {
    this.writeFrame({ type: frameType.ping, flags: 0, stream: 0 }, Buffer.alloc(8), 0, 8);
  }

  /** Answers a ping with what it carried. */
  writePong(bytes: Buffer, start: number, end: number): void {
    this.writeFrame({ type: frameType.ping, flags: flag.ack, stream: 0 }, bytes, start, end);
  }

  writeGoaway(lastStream: number, code: number): void {
    const payload = Buffer.allocUnsafe(8);
    writeUint32(payload, 0, lastStream);
    writeUint32(payload, 4, code);
    this.writeFrame({ type: frameType.goaway, flags: 0, stream: 0 }, payload, 0, 8);
  }

  /** Sends what was written. */
  flush(): void {
    this.asked = false;
    this.send();
    if (!this.full) this.session.roomAgain();
  }

  /** Says GOAWAY, sends what can be sent at once, and says nothing more. */
  end(lastStream: number, code: number): void {
    this.writeGoaway(lastStream, code);
    this.send();
    this.silent = true;
  }

  private send(): void {
    const { out, connection } = this;
    if (this.outgoing !== undefined || out === undefined) return;
    this.out = undefined;
    if (out.length === 0 || this.silent || connection.closed) giveBuffer(out);
    else if (connection.write(out.bytes.subarray(0, out.length)) === lent) this.outgoing = out;
    else giveBuffer(out);
  }

  /** A defect showed while flushing. */
  fault(error: unknown): void {
    this.session.fault(error);
  }

  /** The connection has taken what it was given. */
  drained(): void {
    const { outgoing } = this;
    this.outgoing = undefined;
    if (outgoing !== undefined) giveBuffer(outgoing);
    this.flush();
  }
}
