import { errorCode, preface } from "#wire/http2/frame.ts";
import type { FieldLines } from "#wire/http2/hpack/lines.ts";
import { initialSettings, renderSettings, setting } from "#wire/http2/settings.ts";
import type { Deadlines } from "../deadline.ts";
import type { Connection } from "../transport/connection.ts";
import { Budget } from "./budget.ts";
import { FramesIn } from "./frames-in.ts";
import { FramesOut } from "./frames-out.ts";
import { Http2Stream } from "./stream.ts";

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

/** Frames that carry no work: how many at once and in a second. One that carries some pays for four. */
const idleFrames = 1000;
const idleFramesPerSecond = 100;
/** Streams we have reset lately: what was on its way from the peer is passed over. */
const rememberedResets = 1024;

/** Streams, windows and limits of one connection, on whichever side (RFC 9113). Frames come by `in` and leave by `out`. */
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
  /** The window of the connection grows as data comes, not as it is passed on. */
  readonly eager: boolean;
  /** What the peer may still send on all streams together. */
  receiveWindow: number;
  readonly out: FramesOut;
  private readonly in: FramesIn;
  private readonly connection: Connection;
  private readonly deadlines: Deadlines;
  private readonly budget: Budget;
  private readonly onFault: (error: unknown) => void;
  private readonly connectionWindow: number;
  private owed = 0;
  private readonly resets = new Set<number>();

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
    this.in = new FramesIn(this, maxListBytes);
    this.out = new FramesOut(this, connection);
    this.budget = new Budget(idleFrames, idleFramesPerSecond, deadlines.now);
    if (options.greets === true) this.out.writeBytes(preface);
    const own = [...settings, [setting.initialWindowSize, options.streamWindow] as const];
    this.out.writeBytes(renderSettings([...own, [setting.maxHeaderListSize, maxListBytes]]));
    if (connectionWindow > 65_535) this.out.writeWindowUpdate(0, connectionWindow - 65_535);
  }

  /** Whether a header block has begun and not ended. */
  get midBlock(): boolean {
    return this.in.midBlock;
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
    const error = this.in.feed(bytes, start, end);
    if (this.over) return;
    if (error !== 0) this.break(error);
    else if (this.out.isUnheard) this.break(errorCode.enhanceYourCalm);
  }

  /** What comes on this stream is read and thrown away. */
  passOver(id: number): void {
    this.resets.add(id);
    if (this.resets.size > rememberedResets) this.resets.delete(this.resets.values().next().value ?? 0);
  }

  /** Whether what comes on this stream is passed over. */
  wasReset(id: number): boolean {
    return this.resets.has(id);
  }

  /** Ends a stream and passes over what the peer still sends on it. */
  writeReset(id: number, code: number): void {
    this.passOver(id);
    this.out.writeReset(id, code);
  }

  /** Ends the connection for a broken rule. */
  break(code: number): void {
    this.over = true;
    this.owner.onBroken(code);
  }

  /** A frame that carries no work was read; the code of an error when there are too many. */
  idle(cost = 1): number {
    return this.budget.spend(this.deadlines.now, cost) ? 0 : errorCode.enhanceYourCalm;
  }

  /** A frame on a stream that is not open: it was never, or it is no longer. */
  unknown(id: number): number {
    return this.wasOpen(id) ? errorCode.streamClosed : errorCode.protocol;
  }

  /** Whether a client has opened this stream at some time. */
  wasOpen(id: number): boolean {
    return (id & 1) === 1 && id <= this.lastStream;
  }

  /** A frame carried some work. */
  refund(): void {
    this.budget.refund(4);
  }

  /** Ends one stream for a rule the peer broke on it; the connection goes on. */
  streamError(id: number, code: number): number {
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

  /** Gives window back for as many bytes of data, once it is worth a frame. */
  credit(count: number): void {
    this.owed += count;
    if (this.owed * 2 < this.connectionWindow) return;
    this.out.writeWindowUpdate(0, this.owed);
    this.receiveWindow += this.owed;
    this.owed = 0;
  }

  /** One frame a stream in turn, as long as windows allow. */
  sendStarved(): void {
    for (let moved = true; moved && this.sendWindow > 0 && !this.out.full;) {
      moved = false;
      for (const stream of this.starved) if (stream.sendPending()) moved = true;
    }
  }

  /** Says GOAWAY, sends what can be sent at once, and says nothing more. */
  end(lastStream: number, code: number): void {
    this.over = true;
    this.out.end(lastStream, code);
  }

  /** A defect showed while flushing. */
  fault(error: unknown): void {
    this.onFault(error);
    this.connection.destroy();
  }

  /** What was written left, at least so much of it that streams may go on. */
  roomAgain(): void {
    if (this.throttled.size + this.starved.size > 0) this.wake();
  }

  private wake(): void {
    const waiting = [...this.throttled];
    this.throttled.clear();
    for (const stream of waiting) stream.release();
    this.sendStarved();
  }
}
