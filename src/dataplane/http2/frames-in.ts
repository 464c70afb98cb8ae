import { inspectField } from "#wire/http2/fields.ts";
import { defaultFrameBytes, errorCode, flag, frameType, readUint31, readUint32 } from "#wire/http2/frame.ts";
import { FrameReader } from "#wire/http2/frame-reader.ts";
import { HpackDecoder } from "#wire/http2/hpack/decoder.ts";
import { FieldLines } from "#wire/http2/hpack/lines.ts";
import { maxWindow, readSettings, settingsAck } from "#wire/http2/settings.ts";
import { substantialBytes } from "./budget.ts";
import type { Http2Session } from "./session.ts";

const tableSize = 4096;
const maxContinuations = 16;

/** The last decoded block of this thread; used up before the next one is read. */
const lines = new FieldLines();

/** A header block that goes on in CONTINUATION frames. */
interface OpenBlock {
  readonly stream: number;
  readonly last: boolean;
  readonly parts: Buffer[];
  bytes: number;
}

/**
 * What a session is told, frame by frame: each is held against the rules of RFC 9113 section 6 and handed to its stream
 * or to the session. Every function returns 0 or the code of an error that ends the connection.
 */
export class FramesIn {
  private readonly session: Http2Session;
  private readonly reader: FrameReader;
  private readonly decoder: HpackDecoder;
  private settingsSeen = false;
  private block: OpenBlock | undefined;

  constructor(session: Http2Session, maxListBytes: number) {
    this.session = session;
    this.reader = new FrameReader((type, flags, stream, bytes, start, end) =>
      this.frame(type, flags, stream, bytes, start, end),
    );
    this.decoder = new HpackDecoder({ inspect: inspectField, tableSize, listSize: maxListBytes });
  }

  /** Whether a header block has begun and not ended. */
  get midBlock(): boolean {
    return this.block !== undefined;
  }

  feed(bytes: Buffer, start: number, end: number): number {
    return this.reader.feed(bytes, start, end);
  }

  private frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    const { session } = this;
    if (session.over) return 0;
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
        session.owner.onGoaway(readUint31(bytes, start), readUint32(bytes, start + 4));
        return session.idle();
      case frameType.windowUpdate:
        return this.windowUpdate(id, bytes, start, end);
      case frameType.priority:
        // Priorities by dependency were given up by RFC 9113 section 5.3; they are checked (as RFC 7540 section 5.3.1
        // says: no stream depends on itself) and passed over.
        if (id === 0) return errorCode.protocol;
        if (end - start !== 5) return session.streamError(id, errorCode.frameSize);
        if (readUint31(bytes, start) === id) return session.streamError(id, errorCode.protocol);
        return session.idle();
      case frameType.pushPromise:
        return errorCode.protocol;
      default:
        return session.idle();
    }
  }

  private data(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    const { session } = this;
    if (id === 0) return errorCode.protocol;
    const size = end - start;
    session.receiveWindow -= size;
    if (session.receiveWindow < 0) return errorCode.flowControl;
    let from = start;
    let to = end;
    if ((flags & flag.padded) !== 0) {
      from = start + 1;
      to = end - (bytes[start] ?? 0);
      if (size === 0 || to < from) return errorCode.protocol;
    }
    const last = (flags & flag.endStream) !== 0;
    if (session.eager) session.credit(size);
    const stream = session.streams.get(id);
    if (stream === undefined) {
      if (!session.eager) session.credit(size);
      return session.wasReset(id) ? session.idle() : session.unknown(id);
    }
    if (to - from >= substantialBytes) session.refund();
    else if (!last) {
      const error = session.idle(to === from ? 10 : 1);
      if (error !== 0) return error;
    }
    const error = stream.receive(bytes, from, to, size, last);
    return error === 0 ? 0 : session.streamError(id, error);
  }

  private headers(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    const { session } = this;
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
      const error = session.streamError(id, errorCode.protocol);
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
    const { session } = this;
    const error = this.decoder.decode(bytes, start, end, lines);
    if (error !== 0) return error;
    const stream = session.streams.get(id);
    if (stream !== undefined) {
      const wrong = stream.receiveHeaders(lines, last);
      return wrong === 0 ? 0 : session.streamError(id, wrong);
    }
    if (session.wasReset(id)) return session.idle();
    if (session.wasOpen(id)) return errorCode.streamClosed;
    return session.owner.onHeaders(id, lines, last);
  }

  private peerReset(id: number, bytes: Buffer, start: number, end: number): number {
    const { session } = this;
    if (id === 0) return errorCode.protocol;
    if (end - start !== 4) return errorCode.frameSize;
    const stream = session.streams.get(id);
    if (stream === undefined) return session.wasOpen(id) ? session.idle() : errorCode.protocol;
    const error = session.owner.onPeerReset(stream);
    stream.dropped(readUint32(bytes, start));
    return error;
  }

  private settings(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    const { session } = this;
    if (id !== 0) return errorCode.protocol;
    if ((flags & flag.ack) !== 0) return end === start ? session.idle() : errorCode.frameSize;
    const calm = this.settingsSeen ? session.idle(5) : 0;
    if (calm !== 0) return calm;
    this.settingsSeen = true;
    const { initialWindowSize } = session.peer;
    const error = readSettings(bytes, start, end, session.peer);
    if (error !== 0) return error;
    const grown = session.peer.initialWindowSize - initialWindowSize;
    for (const stream of session.streams.values()) if (!stream.widen(grown)) return errorCode.flowControl;
    session.out.setTableSize(session.peer.headerTableSize);
    session.out.writeBytes(settingsAck);
    if (grown > 0) session.sendStarved();
    session.owner.onSettings();
    return 0;
  }

  private ping(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    const { session } = this;
    if (id !== 0) return errorCode.protocol;
    if (end - start !== 8) return errorCode.frameSize;
    if ((flags & flag.ack) !== 0) session.owner.onPong();
    else session.out.writePong(bytes, start, end);
    return session.idle();
  }

  private windowUpdate(id: number, bytes: Buffer, start: number, end: number): number {
    const { session } = this;
    if (end - start !== 4) return errorCode.frameSize;
    const by = readUint31(bytes, start);
    const calm = session.idle();
    if (calm !== 0) return calm;
    if (id === 0) {
      session.sendWindow += by;
      if (by === 0) return errorCode.protocol;
      if (session.sendWindow > maxWindow) return errorCode.flowControl;
    } else {
      const stream = session.streams.get(id);
      if (stream === undefined) return session.wasOpen(id) ? 0 : errorCode.protocol;
      if (by === 0) return session.streamError(id, errorCode.protocol);
      if (!stream.widen(by)) return session.streamError(id, errorCode.flowControl);
    }
    if (session.starved.size > 0) session.sendStarved();
    return 0;
  }
}
