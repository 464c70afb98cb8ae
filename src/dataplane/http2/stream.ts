import { defaultFrameBytes, errorCode, flag } from "#wire/http2/frame.ts";
import type { FieldLines } from "#wire/http2/hpack/lines.ts";
import { maxWindow } from "#wire/http2/settings.ts";
import { lent, sent, type WriteResult } from "../transport/connection.ts";
import type { BlockWriter } from "./frames-out.ts";
import type { Http2Session } from "./session.ts";

/** What is told of one stream. */
export interface StreamHandler {
  /** `bytes[start..end]` are valid until the call returns. What was taken is to be reported by `consumed`. */
  onData(bytes: Buffer, start: number, end: number, last: boolean): void;
  /** A header block on a stream that is open: an answer, or trailers. `lines` is valid until the call returns. */
  onHeaders(lines: FieldLines, last: boolean): void;
  /** The peer takes bytes again. */
  onDrain(): void;
  /** The stream ended early: the peer's RST_STREAM, a rule it broke, or the connection is gone. */
  onReset(code: number): void;
  /** The stream is over, one way or another. Once, last but for `onReset`. */
  onClose(): void;
}

const nobody: StreamHandler = { onData() {}, onHeaders() {}, onDrain() {}, onReset() {}, onClose() {} };

/** Nothing waits: the usual case needs no list of its own. */
const none: Buffer[] = [];

/** One stream of a session: its two windows and what waits for them (RFC 9113 sections 5.1 and 5.2). */
export class Http2Stream {
  readonly id: number;
  handler: StreamHandler = nobody;
  sendWindow: number;
  /** We sent END_STREAM, or will behind what is pending. */
  ended = false;
  /** The peer sent END_STREAM. */
  remoteEnded: boolean;
  /** Nothing is sent or told any more. */
  closed = false;
  /** Drain is waited for. */
  private throttled = false;
  private receiveWindow: number;
  /** Received, not yet taken by the handler. */
  private untaken = 0;
  /** Taken, not yet given back as window. */
  private owed = 0;
  private pending: Buffer[] = none;
  private trailers: BlockWriter | undefined;
  private readonly session: Http2Session;

  constructor(session: Http2Session, id: number, remoteEnded: boolean) {
    this.session = session;
    this.id = id;
    this.remoteEnded = remoteEnded;
    this.sendWindow = session.peer.initialWindowSize;
    this.receiveWindow = session.streamWindow;
  }

  /** Whether bytes wait for a window or the connection. */
  get blocked(): boolean {
    return this.throttled || this.pending.length > 0;
  }

  // Out.

  sendHeaders(write: BlockWriter, last: boolean): void {
    if (this.closed || this.ended) return;
    this.session.out.writeHeaders(this.id, write, last);
    if (last) this.end();
  }

  /**
   * Sends data, or keeps a copy until windows open. `lent` asks for a pause until `onDrain`; the bytes themselves are free
   * in any case.
   */
  sendData(bytes: Buffer, start: number, end: number, last: boolean): WriteResult {
    if (this.closed || this.ended) return sent;
    const at = this.pending.length > 0 ? start : this.write(bytes, start, end, last);
    if (at < end) {
      if (this.pending === none) this.pending = [];
      this.pending.push(Buffer.from(bytes.subarray(at, end)));
      this.session.starved.add(this);
    }
    if (last) this.ended = true;
    if (last && this.pending.length === 0) this.end();
    if (this.pending.length > 0) return lent;
    if (!this.session.out.full) return sent;
    this.throttled = true;
    this.session.throttled.add(this);
    return lent;
  }

  /** Ends with a last header block, behind all data. */
  sendTrailers(write: BlockWriter): void {
    if (this.closed || this.ended) return;
    this.ended = true;
    if (this.pending.length > 0) this.trailers = write;
    else {
      this.session.out.writeHeaders(this.id, write, true);
      this.end();
    }
  }

  /** Writes what the windows allow; returns how far it came. */
  private write(bytes: Buffer, start: number, end: number, last: boolean): number {
    const { session } = this;
    let at = start;
    do {
      const room = Math.min(end - at, defaultFrameBytes, this.sendWindow, session.sendWindow);
      if (room <= 0 && at < end) return at;
      const flags = last && at + room === end ? flag.endStream : 0;
      if (room > 0 || flags !== 0) session.out.writeData(this.id, flags, bytes, at, at + room);
      this.sendWindow -= room;
      session.sendWindow -= room;
      at += room;
    } while (at < end);
    return at;
  }

  /** Sends one frame of what is pending, if it may; false when it may not. */
  sendPending(): boolean {
    const first = this.pending[0];
    if (first === undefined || this.session.out.full) return false;
    const room = Math.min(first.length, defaultFrameBytes, this.sendWindow, this.session.sendWindow);
    if (room <= 0) return false;
    const last = this.ended && this.trailers === undefined && this.pending.length === 1 && room === first.length;
    this.write(first, 0, room, last);
    if (room < first.length) {
      this.pending[0] = first.subarray(room);
      return true;
    }
    this.pending.shift();
    if (this.pending.length > 0) return true;
    this.session.starved.delete(this);
    if (this.trailers !== undefined) this.session.out.writeHeaders(this.id, this.trailers, true);
    if (this.ended) this.end();
    else this.handler.onDrain();
    return true;
  }

  /** The connection takes bytes again. */
  release(): void {
    if (!this.throttled) return;
    this.throttled = false;
    if (!this.closed && !this.ended && this.pending.length === 0) this.handler.onDrain();
  }

  /** The peer gives more window; false when the sum is more than there can be. */
  widen(by: number): boolean {
    this.sendWindow += by;
    return this.sendWindow <= maxWindow;
  }

  private end(): void {
    this.ended = true;
    if (this.remoteEnded) this.close();
    else this.session.owner.onLocalEnd(this);
  }

  // In.

  /** A DATA frame of `size` bytes, padding counted. Returns 0 or the code of an error of this stream. */
  receive(bytes: Buffer, start: number, end: number, size: number, last: boolean): number {
    if (this.remoteEnded) return errorCode.streamClosed;
    this.receiveWindow -= size;
    if (this.receiveWindow < 0) return errorCode.flowControl;
    this.untaken += size;
    if (last) this.remoteEnded = true;
    if (size > end - start) this.consumed(size - (end - start));
    this.handler.onData(bytes, start, end, last);
    if (last && this.ended && this.pending.length === 0) this.close();
    return 0;
  }

  receiveHeaders(lines: FieldLines, last: boolean): number {
    if (this.remoteEnded) return errorCode.streamClosed;
    if (last) this.remoteEnded = true;
    this.handler.onHeaders(lines, last);
    if (last && this.ended && this.pending.length === 0) this.close();
    return 0;
  }

  /** The handler has passed on that many bytes; their window goes back to the peer. */
  consumed(count: number): void {
    if (this.closed) return;
    this.untaken -= count;
    this.session.taken(count);
    if (this.remoteEnded) return;
    this.owed += count;
    if (this.owed * 2 < this.session.streamWindow) return;
    this.session.out.writeWindowUpdate(this.id, this.owed);
    this.receiveWindow += this.owed;
    this.owed = 0;
  }

  // Ends.

  /** Ends the stream at once and tells the peer; the handler is not told. */
  reset(code: number): void {
    if (this.closed) return;
    this.session.writeReset(this.id, code);
    this.close();
  }

  /** The stream ended by the peer's will. */
  dropped(code: number): void {
    if (this.closed) return;
    this.close();
    this.handler.onReset(code);
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.pending = none;
    if (this.untaken > 0) this.session.taken(this.untaken);
    this.session.forget(this);
    this.handler.onClose();
  }
}
