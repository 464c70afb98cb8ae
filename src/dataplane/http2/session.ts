import type { ByteWriter } from "#wire/http2/byte-writer.ts";
import { inspectField } from "#wire/http2/fields.ts";
import {
  defaultFrameBytes,
  errorCode,
  flag,
  frameHeadBytes,
  frameType,
  preface,
  readUint31,
  readUint32,
  writeFrameHead,
  writeUint32,
} from "#wire/http2/frame.ts";
import { FrameReader } from "#wire/http2/frame-reader.ts";
import { HpackDecoder } from "#wire/http2/hpack/decoder.ts";
import { HpackEncoder } from "#wire/http2/hpack/encoder.ts";
import { FieldLines } from "#wire/http2/hpack/lines.ts";
import {
  initialSettings,
  maxWindow,
  readSettings,
  renderSettings,
  setting,
  settingsAck,
} from "#wire/http2/settings.ts";
import type { Deadlines } from "../deadline.ts";
import { lent, type Connection } from "../transport/connection.ts";
import { Budget } from "./budget.ts";
import { flushSoon } from "./flush.ts";
import { giveBuffer, takeBuffer } from "./out-buffer.ts";
import { Http2Stream } from "./stream.ts";

/** Writes the fields of a header block. */
export type BlockWriter = (encoder: HpackEncoder, out: ByteWriter) => void;

/** Whoever runs a session: the side of clients or that of endpoints. */
export interface SessionOwner {
  /**
   * A header block on a stream that is not open. Returns 0 or the code of an error that ends the connection. `lines` is
   * valid until the call returns.
   */
  onHeaders(id: number, lines: FieldLines, last: boolean): number;
  /** We ended our half of a stream, and the peer has not ended its own. */
  onLocalEnd(stream: Http2Stream): void;
  /** The peer ended a stream with RST_STREAM. Returns 0 or the code of an error that ends the connection. */
  onPeerReset(stream: Http2Stream): number;
  /** A stream is gone from `streams`. */
  onForget(): void;
  onSettings(): void;
  onPong(): void;
  onGoaway(lastStream: number, code: number): void;
  /** The peer broke a rule: GOAWAY was written, nothing more is read. */
  onBroken(code: number): void;
}

export interface SessionOptions {
  readonly connection: Connection;
  readonly deadlines: Deadlines;
  readonly owner: SessionOwner;
  /** We are the client: the connection begins with our preface (RFC 9113 section 3.4). */
  readonly greets?: boolean;
  readonly settings: readonly (readonly [id: number, value: number])[];
  readonly streamWindow: number;
  readonly connectionWindow: number;
  /** The window of the connection grows as data comes, not as it is passed on: no stream can hold up the others. */
  readonly eager: boolean;
  readonly maxListBytes: number;
  /** Told of a defect of ours. */
  readonly onFault: (error: unknown) => void;
}

/** Written and not gone: beyond this, streams wait. */
const fullBytes = 64 * 1024;
/** Beyond this the peer makes us talk and does not listen. */
const deafBytes = 4 * 1024 * 1024;
const tableSize = 4096;
const maxContinuations = 16;
/** Frames that carry no work: how many at once and in a second. One that carries some pays for four. */
const idleFrames = 1000;
const idleFramesPerSecond = 100;
const substantialBytes = 256;
/** Streams we have reset lately: what was on its way from the peer is passed over. */
const rememberedResets = 1024;

/** The last decoded block of this thread; used up before the next one is read. */
const lines = new FieldLines();

/** Frames, windows, header tables and limits of one connection, on whichever side (RFC 9113). */
export class Http2Session {
  readonly owner: SessionOwner;
  readonly streams = new Map<number, Http2Stream>();
  /** What the peer allows. */
  readonly peer = initialSettings();
  readonly streamWindow: number;
  /** Streams with data that no window takes. */
  readonly starved = new Set<Http2Stream>();
  /** Streams that wait for the connection itself. */
  readonly throttled = new Set<Http2Stream>();
  sendWindow = 65_535;
  /** The highest stream that a client opened, the peer or we. */
  lastStream = 0;
  /** Set when nothing more is read. */
  over = false;
  private silent = false;
  private readonly connection: Connection;
  private readonly deadlines: Deadlines;
  private readonly reader: FrameReader;
  private readonly decoder: HpackDecoder;
  private readonly encoder = new HpackEncoder();
  private readonly budget: Budget;
  private readonly eager: boolean;
  private readonly onFault: (error: unknown) => void;
  private readonly connectionWindow: number;
  private receiveWindow: number;
  private owed = 0;
  private settingsSeen = false;
  private readonly resets = new Set<number>();
  /** A header block that goes on in CONTINUATION frames. */
  private block: { readonly stream: number; readonly last: boolean; parts: Buffer[]; bytes: number } | undefined;
  private out: ByteWriter | undefined;
  private outgoing: ByteWriter | undefined;
  private asked = false;

  constructor(options: SessionOptions) {
    const { connection, deadlines, settings, connectionWindow, maxListBytes } = options;
    this.owner = options.owner;
    this.connection = connection;
    this.deadlines = deadlines;
    this.streamWindow = options.streamWindow;
    this.connectionWindow = connectionWindow;
    this.eager = options.eager;
    this.onFault = options.onFault;
    this.receiveWindow = connectionWindow;
    this.reader = new FrameReader((type, flags, stream, bytes, start, end) =>
      this.frame(type, flags, stream, bytes, start, end),
    );
    this.decoder = new HpackDecoder({ inspect: inspectField, tableSize, listSize: maxListBytes });
    this.budget = new Budget(idleFrames, idleFramesPerSecond, deadlines.now);
    if (options.greets === true) this.writeBytes(preface);
    const own = [...settings, [setting.initialWindowSize, options.streamWindow] as const];
    this.writeBytes(renderSettings([...own, [setting.maxHeaderListSize, maxListBytes]]));
    if (connectionWindow > 65_535) this.writeWindowUpdate(0, connectionWindow - 65_535);
  }

  /** Whether a header block has begun and not ended. */
  get midBlock(): boolean {
    return this.block !== undefined;
  }

  /** Opens a stream, whose handler is to be set at once; `last` when the peer has ended its half already. */
  open(id: number, last: boolean): Http2Stream {
    const stream = new Http2Stream(this, id, last);
    this.streams.set(id, stream);
    return stream;
  }

  forget(stream: Http2Stream): void {
    this.streams.delete(stream.id);
    this.starved.delete(stream);
    this.throttled.delete(stream);
    this.owner.onForget();
  }

  // In.

  feed(bytes: Buffer, start: number, end: number): void {
    if (this.over) return;
    const error = this.reader.feed(bytes, start, end);
    if (this.over) return;
    if (error !== 0) this.break(error);
    else if ((this.out?.length ?? 0) > deafBytes) this.break(errorCode.enhanceYourCalm);
  }

  /** What comes on this stream is read and thrown away. */
  passOver(id: number): void {
    this.resets.add(id);
    if (this.resets.size > rememberedResets) this.resets.delete(this.resets.values().next().value ?? 0);
  }

  /** Ends the connection for a broken rule. */
  break(code: number): void {
    this.over = true;
    this.owner.onBroken(code);
  }

  private idle(cost = 1): number {
    return this.budget.spend(this.deadlines.now, cost) ? 0 : errorCode.enhanceYourCalm;
  }

  private frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    if (this.over) return 0;
    if (this.block !== undefined && (type !== frameType.continuation || id !== this.block.stream)) {
      return errorCode.protocol;
    }
    if (!this.settingsSeen && (type !== frameType.settings || (flags & flag.ack) !== 0)) return errorCode.protocol;
    switch (type) {
      case frameType.data:
        return this.data(flags, id, bytes, start, end);
      case frameType.headers:
        return this.headers(flags, id, bytes, start, end);
      case frameType.continuation:
        return this.continuation(flags, bytes, start, end);
      case frameType.rstStream:
        return this.peerReset(id, bytes, start, end);
      case frameType.settings:
        return this.settings(flags, id, bytes, start, end);
      case frameType.ping:
        return this.ping(flags, id, bytes, start, end);
      case frameType.goaway:
        if (id !== 0) return errorCode.protocol;
        if (end - start < 8) return errorCode.frameSize;
        this.owner.onGoaway(readUint31(bytes, start), readUint32(bytes, start + 4));
        return this.idle();
      case frameType.windowUpdate:
        return this.windowUpdate(id, bytes, start, end);
      case frameType.priority:
        // Priorities by dependency were given up by RFC 9113 section 5.3; they are checked (as RFC 7540 section 5.3.1
        // says: no stream depends on itself) and passed over.
        if (id === 0) return errorCode.protocol;
        if (end - start !== 5) return this.streamError(id, errorCode.frameSize);
        if (readUint31(bytes, start) === id) return this.streamError(id, errorCode.protocol);
        return this.idle();
      case frameType.pushPromise:
        return errorCode.protocol;
      default:
        return this.idle();
    }
  }

  private data(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    if (id === 0) return errorCode.protocol;
    const size = end - start;
    this.receiveWindow -= size;
    if (this.receiveWindow < 0) return errorCode.flowControl;
    let from = start;
    let to = end;
    if ((flags & flag.padded) !== 0) {
      from = start + 1;
      to = end - (bytes[start] ?? 0);
      if (size === 0 || to < from) return errorCode.protocol;
    }
    const last = (flags & flag.endStream) !== 0;
    if (this.eager) this.credit(size);
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (!this.eager) this.credit(size);
      return this.resets.has(id) ? this.idle() : this.unknown(id);
    }
    if (to - from >= substantialBytes) this.budget.refund(4);
    else if (!last) {
      const error = this.idle(to === from ? 10 : 1);
      if (error !== 0) return error;
    }
    const error = stream.receive(bytes, from, to, size, last);
    return error === 0 ? 0 : this.streamError(id, error);
  }

  /** A frame on a stream that is not open: it was never, or it is no longer. */
  private unknown(id: number): number {
    return this.wasOpen(id) ? errorCode.streamClosed : errorCode.protocol;
  }

  private wasOpen(id: number): boolean {
    return (id & 1) === 1 && id <= this.lastStream;
  }

  private headers(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    if (id === 0) return errorCode.protocol;
    let from = start;
    let to = end;
    if ((flags & flag.padded) !== 0) {
      to -= bytes[start] ?? 0;
      from += 1;
    }
    const priorityAt = from;
    if ((flags & flag.priority) !== 0) from += 5;
    if (to < from) return errorCode.protocol;
    if (from > priorityAt && readUint31(bytes, priorityAt) === id) {
      // The block is read all the same: the table of field lines goes on with it.
      const error = this.streamError(id, errorCode.protocol);
      if (error !== 0) return error;
    }
    const last = (flags & flag.endStream) !== 0;
    if ((flags & flag.endHeaders) !== 0) return this.wholeBlock(id, last, bytes, from, to);
    this.block = { stream: id, last, parts: [Buffer.from(bytes.subarray(from, to))], bytes: to - from };
    return 0;
  }

  private continuation(flags: number, bytes: Buffer, start: number, end: number): number {
    const { block } = this;
    if (block === undefined) return errorCode.protocol;
    block.parts.push(Buffer.from(bytes.subarray(start, end)));
    block.bytes += end - start;
    // CVE-2024-27316 and its kin: a block that never ends, or of frames without anything in them.
    if (block.parts.length > maxContinuations || block.bytes > maxContinuations * defaultFrameBytes) {
      return errorCode.enhanceYourCalm;
    }
    if ((flags & flag.endHeaders) === 0) return 0;
    this.block = undefined;
    const whole = Buffer.concat(block.parts);
    return this.wholeBlock(block.stream, block.last, whole, 0, whole.length);
  }

  private wholeBlock(id: number, last: boolean, bytes: Buffer, start: number, end: number): number {
    const error = this.decoder.decode(bytes, start, end, lines);
    if (error !== 0) return error;
    const stream = this.streams.get(id);
    if (stream !== undefined) {
      const wrong = stream.receiveHeaders(lines, last);
      return wrong === 0 ? 0 : this.streamError(id, wrong);
    }
    if (this.resets.has(id)) return this.idle();
    if (this.wasOpen(id)) return errorCode.streamClosed;
    return this.owner.onHeaders(id, lines, last);
  }

  private peerReset(id: number, bytes: Buffer, start: number, end: number): number {
    if (id === 0) return errorCode.protocol;
    if (end - start !== 4) return errorCode.frameSize;
    const stream = this.streams.get(id);
    if (stream === undefined) return this.wasOpen(id) ? this.idle() : errorCode.protocol;
    const error = this.owner.onPeerReset(stream);
    stream.dropped(readUint32(bytes, start));
    return error;
  }

  private settings(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    if (id !== 0) return errorCode.protocol;
    if ((flags & flag.ack) !== 0) return end === start ? this.idle() : errorCode.frameSize;
    const calm = this.settingsSeen ? this.idle(5) : 0;
    if (calm !== 0) return calm;
    this.settingsSeen = true;
    const { initialWindowSize } = this.peer;
    const error = readSettings(bytes, start, end, this.peer);
    if (error !== 0) return error;
    const grown = this.peer.initialWindowSize - initialWindowSize;
    for (const stream of this.streams.values()) if (!stream.widen(grown)) return errorCode.flowControl;
    this.encoder.setTableSize(this.peer.headerTableSize);
    this.writeBytes(settingsAck);
    if (grown > 0) this.sendStarved();
    this.owner.onSettings();
    return 0;
  }

  private ping(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    if (id !== 0) return errorCode.protocol;
    if (end - start !== 8) return errorCode.frameSize;
    if ((flags & flag.ack) !== 0) this.owner.onPong();
    else this.writeFrame({ type: frameType.ping, flags: flag.ack, stream: 0 }, bytes, start, end);
    return this.idle();
  }

  private windowUpdate(id: number, bytes: Buffer, start: number, end: number): number {
    if (end - start !== 4) return errorCode.frameSize;
    const by = readUint31(bytes, start);
    const calm = this.idle();
    if (calm !== 0) return calm;
    if (id === 0) {
      this.sendWindow += by;
      if (by === 0) return errorCode.protocol;
      if (this.sendWindow > maxWindow) return errorCode.flowControl;
    } else {
      const stream = this.streams.get(id);
      if (stream === undefined) return this.wasOpen(id) ? 0 : errorCode.protocol;
      if (by === 0) return this.streamError(id, errorCode.protocol);
      if (!stream.widen(by)) return this.streamError(id, errorCode.flowControl);
    }
    if (this.starved.size > 0) this.sendStarved();
    return 0;
  }

  /** Ends one stream for a rule the peer broke on it; the connection goes on. */
  private streamError(id: number, code: number): number {
    const stream = this.streams.get(id);
    if (stream === undefined) {
      this.writeReset(id, code);
      return this.idle();
    }
    const { handler } = stream;
    stream.reset(code);
    handler.onReset(code);
    return this.idle(10);
  }

  /** Bytes of data were passed on. */
  taken(count: number): void {
    if (!this.eager) this.credit(count);
  }

  private credit(count: number): void {
    this.owed += count;
    if (this.owed * 2 < this.connectionWindow) return;
    this.writeWindowUpdate(0, this.owed);
    this.receiveWindow += this.owed;
    this.owed = 0;
  }

  /** One frame a stream in turn, as long as windows allow. */
  private sendStarved(): void {
    for (let moved = true; moved && this.sendWindow > 0 && !this.full;) {
      moved = false;
      for (const stream of this.starved) if (stream.sendPending()) moved = true;
    }
  }

  // Out.

  /** Whether so much waits to leave that streams should not add to it. */
  get full(): boolean {
    return (this.out?.length ?? 0) + (this.outgoing?.length ?? 0) > fullBytes;
  }

  private buffer(): ByteWriter {
    this.out ??= takeBuffer();
    if (!this.asked && this.outgoing === undefined) {
      this.asked = true;
      flushSoon(this);
    }
    return this.out;
  }

  private writeBytes(bytes: Buffer): void {
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
    if (end - start >= substantialBytes) this.budget.refund(4);
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
    this.passOver(stream);
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
    if (!this.full && this.throttled.size + this.starved.size > 0) this.wake();
  }

  /** Says GOAWAY, sends what can be sent at once, and says nothing more. */
  end(lastStream: number, code: number): void {
    this.over = true;
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
    this.onFault(error);
    this.connection.destroy();
  }

  /** The connection has taken what it was given. */
  drained(): void {
    const { outgoing } = this;
    this.outgoing = undefined;
    if (outgoing !== undefined) giveBuffer(outgoing);
    this.flush();
  }

  private wake(): void {
    const waiting = [...this.throttled];
    this.throttled.clear();
    for (const stream of waiting) stream.release();
    this.sendStarved();
  }
}
