import { mark } from "#wire/http2/fields.ts";
import { errorCode, errorName, preface } from "#wire/http2/frame.ts";
import type { FieldLines } from "#wire/http2/hpack/lines.ts";
import { setting } from "#wire/http2/settings.ts";
import { maxHeadBytes } from "#wire/http1/head.ts";
import type { ServeContext } from "../context.ts";
import { addTo, counter } from "../counters.ts";
import type { Timed } from "../deadline.ts";
import { classOf } from "../exchange/booking.ts";
import { connectionForwarding, type Forwarding } from "../forwarded.ts";
import { answerTo, largeHead, parseRequest, readRequest, refusalOf } from "../http1/read-request.ts";
import type { Answer } from "../page.ts";
import type { Connection, ConnectionHandler } from "../transport/connection.ts";
import { Budget } from "./budget.ts";
import { ClientStream } from "./client-stream.ts";
import { isGrpc } from "./grpc.ts";
import { composeHead } from "./request-head.ts";
import { Http2Session, type SessionOwner } from "./session.ts";
import type { Http2Stream } from "./stream.ts";

/** What one request may have on its way to us, and all of a connection together. */
const streamWindow = 128 * 1024;
const connectionWindow = 1024 * 1024;
/** The highest number a stream can have; GOAWAY with it announces a GOAWAY with the true one (RFC 9113 section 6.8). */
const anyStream = 0x7fffffff;

/** `open` serves; `leaving` serves what was begun; `linger`: the last word was said, what still comes is thrown away. */
type State = "preface" | "open" | "leaving" | "linger";

/** One HTTP/2 connection of a client. Every stream is a request of its own. */
export class Http2Client implements ConnectionHandler, SessionOwner, Timed {
  deadline = 0;
  private readonly context: ServeContext;
  private readonly connection: Connection;
  private readonly forwarding: Forwarding;
  private readonly left: () => void;
  private readonly session: Http2Session;
  private readonly resets: Budget;
  private state: State = "preface";
  private greeted = 0;
  private lingered = 0;
  private requests = 0;
  /** A first GOAWAY is out; the second one waits until the client has seen it. */
  private warned = false;

  /** Serves `connection` until it closes, and then calls `left`. */
  constructor(context: ServeContext, connection: Connection, left: () => void) {
    const { deadlines, limits } = context;
    this.context = context;
    this.connection = connection;
    this.forwarding = connectionForwarding(connection, context.trusts);
    this.left = left;
    this.resets = new Budget(limits.http2Resets, limits.http2ResetsPerSecond, deadlines.now);
    connection.handler = this;
    this.session = new Http2Session({
      connection,
      deadlines,
      owner: this,
      settings: [
        [setting.maxConcurrentStreams, limits.http2Streams],
        [setting.enableConnectProtocol, 1],
        [setting.noPriorities, 1],
      ],
      streamWindow,
      connectionWindow,
      eager: false,
      maxListBytes: maxHeadBytes,
      onFault: context.onFault,
    });
    deadlines.add(this);
    this.expectWithin(limits.headerMs);
  }

  /** Tells the client to go elsewhere; what it has begun is served. */
  drain(): void {
    if (this.state === "preface") this.close(errorCode.noError);
    else if (this.state === "open" && !this.warned) this.warn();
  }

  destroy(): void {
    this.connection.destroy();
  }

  private warn(): void {
    this.warned = true;
    this.session.out.writeGoaway(anyStream, errorCode.noError);
    this.session.out.writePing();
    this.watch();
  }

  private leave(): void {
    this.state = "leaving";
    if (this.session.streams.size === 0) this.close(errorCode.noError);
    else this.session.out.writeGoaway(this.session.lastStream, errorCode.noError);
  }

  // What the client sends.

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.state === "linger") {
      this.lingered += end - start;
      if (this.lingered > this.context.limits.lingerBytes) this.connection.destroy();
      return;
    }
    const at = this.state === "preface" ? this.greet(bytes, start, end) : start;
    if (at < end) this.session.feed(bytes, at, end);
    const { session, context } = this;
    if (session.over) return;
    if (session.midBlock && this.deadline === 0) this.expectWithin(context.limits.headerMs);
    else if (!session.midBlock && session.streams.size > 0) this.deadline = 0;
  }

  /** Takes the connection preface; returns where it ends. */
  private greet(bytes: Buffer, start: number, end: number): number {
    const taken = Math.min(preface.length - this.greeted, end - start);
    if (preface.compare(bytes, start, start + taken, this.greeted, this.greeted + taken) !== 0) {
      this.close(errorCode.protocol);
      return end;
    }
    this.greeted += taken;
    if (this.greeted === preface.length) this.state = "open";
    return start + taken;
  }

  onHeaders(id: number, lines: FieldLines, last: boolean): number {
    const { session, context } = this;
    if ((id & 1) === 0) return errorCode.protocol;
    if (this.state !== "open") {
      // It crossed our last GOAWAY, which told the client that nobody looks at it.
      session.passOver(id);
      return 0;
    }
    session.lastStream = id;
    if (session.streams.size >= context.limits.http2Streams) {
      session.writeReset(id, errorCode.refusedStream);
      return this.resets.spend(context.deadlines.now, 1) ? 0 : errorCode.enhanceYourCalm;
    }
    this.deadline = 0;
    this.requests += 1;
    if (context.draining || this.requests >= context.limits.requestsPerConnection) {
      if (!this.warned) this.warn();
    }
    const head = lines.overflow ? undefined : composeHead(lines, last);
    if (head === undefined && !lines.overflow) {
      session.writeReset(id, errorCode.protocol);
      return this.resets.spend(context.deadlines.now, 1) ? 0 : errorCode.enhanceYourCalm;
    }
    const stream = new ClientStream(context, session.open(id, last));
    const parsed = head === undefined ? undefined : parseRequest(context, head.bytes);
    if (parsed === undefined || parsed.framing < 0) {
      this.reject(stream, parsed === undefined ? largeHead : answerTo(parsed.framing), false);
      return 0;
    }
    // A head that ends before its end would hide a second request.
    if (parsed.headEnd !== parsed.bytes.length) throw new Error("a head composed of an HTTP/2 request is not one head");
    const request = readRequest(context, this.connection, this.forwarding, parsed, 2);
    const refused = refusalOf(context, request);
    if (refused !== undefined) {
      this.reject(stream, refused, request.toHead);
      return 0;
    }
    stream.begin({ request, grpc: saysGrpc(lines), tunnel: head?.protocol !== undefined, last });
    return 0;
  }

  private reject(stream: ClientStream, answer: Answer, toHead: boolean): void {
    addTo(this.context.total, counter.requests, 1);
    addTo(this.context.total, classOf(answer.status), 1);
    stream.refuse(answer, toHead);
  }

  onLocalEnd(stream: Http2Stream): void {
    // The answer is whole; nobody wants the rest of the request (RFC 9113 section 8.1).
    stream.reset(errorCode.noError);
  }

  onPeerReset(): number {
    return this.resets.spend(this.context.deadlines.now, 1) ? 0 : errorCode.enhanceYourCalm;
  }

  onForget(): void {
    this.watch();
  }

  onSettings(): void {
    this.watch();
  }

  onPong(): void {
    if (this.warned && this.state === "open") this.leave();
  }

  onGoaway(): void {
    if (this.state === "open") this.leave();
  }

  onBroken(code: number): void {
    this.context.log.debug(
      { client: this.connection.remoteAddress, code: errorName(code) },
      "an HTTP/2 client broke a rule",
    );
    this.close(code);
  }

  /** Sets the time for what comes next when no stream is there to have one of its own. */
  private watch(): void {
    if (this.session.over || this.session.streams.size > 0 || this.state === "linger") return;
    if (this.state === "leaving") this.close(errorCode.noError);
    else this.expectWithin(this.warned ? this.context.limits.lingerMs : this.context.limits.keepAliveMs);
  }

  /** Says GOAWAY and FIN, and reads on for a moment: closing at once with bytes unread would reset what was said. */
  private close(code: number): void {
    if (this.state === "linger") return;
    this.state = "linger";
    this.session.end(this.session.lastStream, code);
    this.dropStreams(code);
    this.connection.end();
    this.connection.resume();
    this.expectWithin(this.context.limits.lingerMs);
  }

  private dropStreams(code: number): void {
    for (const stream of this.session.streams.values()) stream.dropped(code);
  }

  private expectWithin(ms: number): void {
    this.deadline = this.context.deadlines.now + ms;
  }

  onDeadline(): void {
    if (this.state === "linger") this.connection.destroy();
    else if (this.session.midBlock) this.close(errorCode.protocol);
    else this.close(errorCode.noError);
  }

  // What happens to the connection.

  onDrain(): void {
    this.session.out.drained();
  }

  onEnd(): void {
    // A client that closes its side is gone, as with HTTP/1.1.
    this.session.over = true;
    this.dropStreams(errorCode.cancel);
    this.state = "linger";
    this.connection.end();
    this.expectWithin(this.context.limits.lingerMs);
  }

  onClose(): void {
    this.session.over = true;
    this.dropStreams(errorCode.cancel);
    this.state = "linger";
    this.context.deadlines.delete(this);
    this.left();
  }
}

function saysGrpc(lines: FieldLines): boolean {
  for (let field = 0; field < lines.count; field += 1) {
    if (lines.mark(field) === mark.contentType) return isGrpc(lines.value(field));
  }
  return false;
}
