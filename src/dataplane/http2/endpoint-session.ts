import { errorCode } from "#wire/http2/frame.ts";
import { setting } from "#wire/http2/settings.ts";
import { maxResponseHeadBytes } from "#wire/http1/response.ts";
import type { ServeContext } from "../context.ts";
import type { Connection, ConnectionHandler } from "../transport/connection.ts";
import { EndpointStream } from "./endpoint-stream.ts";
import { Http2Session, type SessionOwner } from "./session.ts";

const streamWindow = 64 * 1024;
/** Every stream has its own window; that of the connection is never in the way, so one slow client holds up no other. */
const connectionWindow = 16 * 1024 * 1024;
/** At once on one connection, and before the endpoint has said how many it takes. */
const mostStreams = 1000;
const streamsUnheard = 100;
/** Streams are numbered with 31 bits; a new connection begins long before they run out. */
const lastNumber = 0x7ffffff0;

/** One HTTP/2 connection to an endpoint, shared by requests of many clients. */
export class EndpointSession implements ConnectionHandler, SessionOwner {
  /** In `Deadlines.now` time: when the last stream ended. */
  idleSince = 0;
  private readonly connection: Connection;
  private readonly session: Http2Session;
  private readonly context: ServeContext;
  private readonly left: () => void;
  private next = 1;
  private heard = false;
  /** When we asked whether the endpoint is still there, and heard nothing since; 0 when there is no doubt. */
  private probedAt = 0;
  /** Takes no more streams. */
  private leaving = false;

  /** `left` is called once, when the connection can take no more streams. */
  constructor(context: ServeContext, connection: Connection, left: () => void) {
    this.context = context;
    this.connection = connection;
    this.left = left;
    this.idleSince = context.deadlines.now;
    connection.handler = this;
    this.session = new Http2Session({
      connection,
      deadlines: context.deadlines,
      owner: this,
      greets: true,
      settings: [[setting.enablePush, 0]],
      streamWindow,
      connectionWindow,
      eager: true,
      maxListBytes: maxResponseHeadBytes,
      onFault: context.onFault,
    });
  }

  get idle(): boolean {
    return this.session.streams.size === 0;
  }

  /** Whether the endpoint takes a further stream at the moment. */
  get hasRoom(): boolean {
    const { session } = this;
    const most = this.heard ? Math.min(session.peer.maxConcurrentStreams, mostStreams) : streamsUnheard;
    return !this.leaving && session.streams.size < most;
  }

  /** A stream for one request; none when the endpoint takes no more at the moment. */
  open(): Connection | undefined {
    const { session } = this;
    if (!this.hasRoom) return undefined;
    const id = this.next;
    this.next += 2;
    session.lastStream = id;
    if (this.next > lastNumber) this.leave();
    return new EndpointStream(this.connection, session.open(id, false), () => this.probe());
  }

  /** Asks whether the endpoint is still there: a request went without an answer, and others wait on this connection. */
  private probe(): void {
    if (this.probedAt > 0 || this.session.over) return;
    this.probedAt = this.context.deadlines.now;
    this.session.out.writePing();
  }

  /** Gives the connection up when nothing was heard since we asked. `now` in `Deadlines.now` time. */
  check(now: number): void {
    if (this.probedAt === 0 || now - this.probedAt < this.context.limits.http2ProbeMs) return;
    this.connection.destroy();
  }

  /** Takes no more streams, and closes when the last one ends. */
  leave(): void {
    if (!this.leaving) {
      this.leaving = true;
      this.left();
    }
    if (this.idle) this.close(errorCode.noError);
  }

  private close(code: number): void {
    const { session, connection } = this;
    if (session.over && connection.closed) return;
    if (!this.leaving) {
      this.leaving = true;
      this.left();
    }
    session.end(0, code);
    connection.end();
    connection.destroy();
  }

  // What the endpoint says.

  onHeaders(): number {
    return errorCode.protocol;
  }

  onLocalEnd(): void {}

  onPeerReset(): number {
    return 0;
  }

  onForget(): void {
    if (!this.idle) return;
    this.idleSince = this.context.deadlines.now;
    if (this.leaving) this.close(errorCode.noError);
  }

  onSettings(): void {
    this.heard = true;
  }

  onPong(): void {}

  onGoaway(lastStream: number): void {
    // What is above was not looked at (RFC 9113 section 6.8), so it may be sent again elsewhere.
    for (const stream of this.session.streams.values()) {
      if (stream.id > lastStream) stream.dropped(errorCode.refusedStream);
    }
    this.leave();
  }

  onBroken(code: number): void {
    this.close(code);
    this.drop(code);
  }

  private drop(code: number): void {
    for (const stream of this.session.streams.values()) stream.dropped(code);
  }

  // What happens to the connection.

  onData(bytes: Buffer, start: number, end: number): void {
    this.probedAt = 0;
    this.session.feed(bytes, start, end);
  }

  onDrain(): void {
    this.session.out.drained();
  }

  onEnd(): void {
    this.connection.destroy();
  }

  onClose(): void {
    this.session.over = true;
    if (!this.leaving) {
      this.leaving = true;
      this.left();
    }
    this.drop(errorCode.connect);
  }
}
