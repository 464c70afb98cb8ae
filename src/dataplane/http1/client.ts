import { ChunkDecoder } from "#wire/http1/chunked.ts";
import { chunkedBody, untilClose } from "#wire/http1/framing.ts";
import { problemOf } from "#wire/http1/problem.ts";
import { preface } from "#wire/http2/frame.ts";
import type { ServeContext } from "../context.ts";
import { addTo, counter } from "../counters.ts";
import type { Timed } from "../deadline.ts";
import { classOf } from "../exchange/booking.ts";
import type { Downstream, ResponseHead } from "../exchange/downstream.ts";
import { Exchange } from "../exchange/exchange.ts";
import type { EarlyBody } from "../exchange/request-body.ts";
import type { FieldEdits } from "../filters/filter.ts";
import { connectionForwarding, type Forwarding } from "../forwarded.ts";
import { renderAnswer, type Answer } from "../page.ts";
import { lent, sent, type Connection, type ConnectionHandler, type WriteResult } from "../transport/connection.ts";
import { BodyReader } from "./body.ts";
import { composeResponse, type ResponseShape } from "./compose-response.ts";
import { answerTo, parseRequest, readRequest, refusalOf } from "./read-request.ts";

/**
 * `head`: waits for a request. `exchange`: one is on its way. `flush`: its answer waits to be taken before the next one
 * begins. `tunnel`: bytes go through. `linger`: the last answer was sent, what still comes is thrown away. `closed`.
 */
type State = "head" | "exchange" | "flush" | "tunnel" | "linger" | "closed";

const continueHead = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
const lastChunk = Buffer.from("0\r\n\r\n", "latin1");
const LF = 10;

/** One HTTP/1.1 connection of a client. Answers go out in the order of the requests; the next request waits its turn. */
export class Http1Client implements ConnectionHandler, Downstream, Timed {
  deadline = 0;
  private readonly context: ServeContext;
  private readonly connection: Connection;
  private readonly forwarding: Forwarding;
  private readonly left: () => void;
  private readonly takeOver: ((bytes: Buffer) => void) | undefined;
  private state: State = "head";
  private held: Buffer | undefined;
  /** Bytes that stay as they are only until `onData` returns. */
  private passing: Buffer | undefined;
  private working = false;
  private exchange: Exchange | undefined;
  private readonly body = new BodyReader();
  private requests = 0;
  private lingered = 0;
  /** Of the request that is on its way. */
  private toHead = false;
  private minor = 1;
  private lastRequest = false;
  /** The client said that it sends nothing more. */
  private clientCloses = false;
  private decoded: ChunkDecoder | undefined;
  private coding: "as-is" | "encode" | "decode" | "none" = "as-is";

  /**
   * Serves `connection` until it closes, and then calls `left`. A connection that turns out to be one of HTTP/2 goes to
   * `takeOver` instead, with what was read.
   */
  constructor(
    context: ServeContext,
    connection: Connection,
    left: () => void,
    takeOver: ((bytes: Buffer) => void) | undefined,
  ) {
    this.context = context;
    this.connection = connection;
    this.forwarding = connectionForwarding(connection, context.trusts);
    this.left = left;
    this.takeOver = takeOver;
    connection.handler = this;
    connection.letsGo = true;
    context.deadlines.add(this);
    this.expectWithin(context.limits.headerMs);
  }

  get idle(): boolean {
    return this.state === "head" && this.held === undefined;
  }

  /**
   * Closes now what waits for a further request; what has one is closed after its answer. A client that has just come has
   * a moment to say what it came for.
   */
  drain(): void {
    if (!this.idle) return;
    if (this.requests > 0) this.close();
    else this.expectWithin(Math.min(this.context.limits.lingerMs, freshMs));
  }

  destroy(): void {
    this.connection.destroy();
  }

  // What the client sends.

  onData(bytes: Buffer, start: number, end: number): void {
    switch (this.state) {
      case "head":
        this.take(bytes, start, end);
        break;
      case "exchange":
        if (!this.body.done && this.held === undefined) this.bodyBytes(bytes, start, end);
        else this.hold(bytes, start, end);
        break;
      case "flush":
        this.hold(bytes, start, end);
        break;
      case "tunnel":
        this.exchange?.tunnelFromClient(bytes, start, end);
        break;
      case "linger":
        this.lingered += end - start;
        if (this.lingered > this.context.limits.lingerBytes) this.connection.destroy();
        break;
      case "closed":
    }
  }

  /** Keeps what came too early, and reads no more until its turn. */
  private hold(bytes: Buffer, start: number, end: number): void {
    const more = bytes.subarray(start, end);
    this.held = this.held === undefined ? more : Buffer.concat([this.held, more]);
    this.connection.pause();
  }

  private take(bytes: Buffer, start: number, end: number): void {
    const { held, context } = this;
    const more = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
    if (held === undefined) {
      if (this.requests > 0) this.expectWithin(context.limits.headerMs);
      this.held = more;
      this.passing = this.connection.letsGo ? more : undefined;
      this.work();
      if (this.held === this.passing && this.held !== undefined) this.held = Buffer.from(this.held);
      this.passing = undefined;
    } else {
      this.held = Buffer.concat([held, more]);
      // Only a line's end can bring news; so a head that drips in is not read again for every byte.
      if (more.indexOf(LF) === -1 && this.held.length < dripBytes) return;
      this.work();
    }
    this.letGo();
  }

  /** Where a request is awaited, what comes is most often a whole one, and on its way when it has been told. */
  private letGo(): void {
    this.connection.letsGo = this.state === "head" && this.held === undefined;
  }

  /** Begins requests as long as whole heads are there and none is on its way. */
  private work(): void {
    if (this.working) return;
    this.working = true;
    while (this.state === "head" && this.held !== undefined && this.begin(this.held));
    this.working = false;
  }

  private begin(bytes: Buffer): boolean {
    const { requestHead: head, draining, limits } = this.context;
    const parsed = parseRequest(this.context, bytes);
    if (parsed.headEnd === 0) return false;
    this.held = undefined;
    this.toHead = false;
    if (parsed.framing < 0) {
      if (this.requests > 0 || !this.speaksHttp2(bytes)) this.reject(answerTo(parsed.framing));
      return false;
    }
    const request = readRequest(this.context, this.connection, this.forwarding, parsed, 1);
    this.requests += 1;
    this.clientCloses = head.close || (head.minor === 0 && !head.keepAlive);
    this.lastRequest = draining || this.requests >= limits.requestsPerConnection || this.clientCloses;
    this.toHead = request.toHead;
    this.minor = request.minor;
    this.body.begin(parsed.framing);
    const refused = refusalOf(this.context, request);
    if (refused !== undefined) {
      this.reject(refused);
      return false;
    }
    const early = this.earlyBody(bytes, parsed.headEnd);
    if (early === undefined) return false;
    this.state = "exchange";
    if (!this.body.done) this.connection.pause();
    const exchange = new Exchange(this.context, this, request, early);
    this.exchange = exchange;
    exchange.begin();
    // What is read next may take the place of these bytes.
    if (this.passing === bytes && !exchange.isOver) {
      const kept = exchange.needsEarlyBody ? early.end : parsed.headEnd;
      request.bytes = Buffer.from(bytes.subarray(0, kept));
    }
    this.checkBody(exchange);
    return true;
  }

  /** Gives the connection away when it begins as HTTP/2 does (RFC 9113 section 3.3). */
  private speaksHttp2(bytes: Buffer): boolean {
    const { takeOver } = this;
    const begun = Math.min(bytes.length, preface.length);
    if (takeOver === undefined || preface.compare(bytes, 0, begun, 0, begun) !== 0) return false;
    this.state = "closed";
    this.context.deadlines.delete(this);
    this.connection.letsGo = false;
    takeOver(this.passing === bytes ? Buffer.from(bytes) : bytes);
    return true;
  }

  /** The part of the body that came with the head; what is behind it is held. */
  private earlyBody(bytes: Buffer, headEnd: number): EarlyBody | undefined {
    const at = this.body.feed(bytes, headEnd, bytes.length);
    if (at < 0) {
      this.reject({ status: problemOf(at).status });
      return undefined;
    }
    if (at < bytes.length) {
      const rest = bytes.subarray(at);
      this.held = this.passing === bytes ? Buffer.from(rest) : rest;
      this.connection.pause();
    }
    const cutAt = this.trailersCut(at);
    return { start: headEnd, end: cutAt ?? at, cut: cutAt !== undefined, last: this.body.done };
  }

  /** Where trailers begin that do not go on: an endpoint might take them for fields that passed the rules. */
  private trailersCut(end: number): number | undefined {
    const { decoder } = this.body;
    if (decoder === undefined || decoder.trailersAt < 0) return undefined;
    return decoder.finished && end - decoder.trailersAt === 2 ? undefined : decoder.trailersAt;
  }

  private bodyBytes(bytes: Buffer, start: number, end: number): void {
    const { exchange, body } = this;
    if (exchange === undefined) return;
    const at = body.feed(bytes, start, end);
    if (at < 0) {
      exchange.refuseBody(problemOf(at).status, problemOf(at).message);
      return;
    }
    if (this.checkBody(exchange)) return;
    const cutAt = this.trailersCut(at);
    exchange.requestBody(bytes, start, cutAt ?? at, body.done, cutAt !== undefined);
    if (at < end) this.hold(bytes, at, end);
  }

  /** Ends a request whose body grew too large. */
  private checkBody(exchange: Exchange): boolean {
    const limit = exchange.maxBodyBytes;
    if (limit === 0 || this.body.bytes <= limit) return false;
    exchange.refuseBody(413, "body too large");
    return true;
  }

  /** Answers what is no request, and closes: nobody knows where the next one would begin. */
  private reject(answer: Answer): void {
    this.lastRequest = true;
    this.body.done = false;
    addTo(this.context.total, counter.requests, 1);
    addTo(this.context.total, classOf(answer.status), 1);
    this.answer(answer, undefined);
  }

  // What goes to the client.

  sendHead({ bytes, headEnd, head, framing, edits }: ResponseHead, bodyEnd: number): WriteResult {
    const { writer } = this.context;
    const untilTheEnd = framing === untilClose;
    if (!this.body.done || this.context.draining) this.lastRequest = true;
    this.coding = untilTheEnd ? "encode" : framing === chunkedBody && this.minor === 0 ? "decode" : "as-is";
    if (this.minor === 0 && (untilTheEnd || framing === chunkedBody)) {
      this.lastRequest = true;
      if (untilTheEnd) this.coding = "none";
    }
    const shape: ResponseShape = {
      connection: head.status === 101 ? "upgrade" : this.lastRequest ? "close" : this.minor === 0 ? "keep-alive" : "",
      coding: this.coding === "encode" ? "ours" : this.coding === "as-is" && head.status !== 204 ? "as-is" : "none",
      dropLength: head.status === 204 || head.status < 200,
    };
    writer.reset();
    composeResponse(writer, bytes, head, headEnd, shape, edits);
    const verbatim = this.coding === "as-is" || this.coding === "none" || bodyEnd === headEnd;
    if (verbatim && writer.length <= headEnd) {
      // Head and body lie side by side then, and leave in one write without the body being copied.
      const start = headEnd - writer.length;
      writer.copyBefore(bytes, headEnd);
      return this.connection.write(bytes.subarray(start, bodyEnd));
    }
    const result = this.connection.write(writer.view());
    if (result === lent) writer.renew();
    return bodyEnd === headEnd ? result : later(this.sendBody(bytes, headEnd, bodyEnd), result);
  }

  sendBody(bytes: Buffer, start: number, end: number): WriteResult {
    if (end <= start) return this.connection.blocked ? lent : sent;
    if (this.coding === "encode") return this.sendChunk(bytes, start, end);
    if (this.coding === "decode") return this.sendDecoded(bytes, start, end);
    return this.connection.write(bytes.subarray(start, end));
  }

  private sendChunk(bytes: Buffer, start: number, end: number): WriteResult {
    const chunk = Buffer.concat([
      Buffer.from(`${(end - start).toString(16)}\r\n`, "latin1"),
      bytes.subarray(start, end),
      lastChunk.subarray(1, 3),
    ]);
    return this.connection.write(chunk);
  }

  /** For HTTP/1.0: the data of the chunks alone. The endpoint's decoder has checked them; this one finds them again. */
  private sendDecoded(bytes: Buffer, start: number, end: number): WriteResult {
    this.decoded ??= new ChunkDecoder();
    const parts: Buffer[] = [];
    this.decoded.onData = (from, to) => parts.push(bytes.subarray(from, to));
    this.decoded.feed(bytes, start, end);
    return parts.length === 0 ? sent : this.connection.write(Buffer.concat(parts));
  }

  finish(): void {
    this.exchange = undefined;
    this.decoded = undefined;
    if (this.coding === "encode" && this.state === "exchange") this.connection.write(lastChunk);
    this.coding = "as-is";
    this.afterAnswer();
  }

  answer(answer: Answer, edits: FieldEdits | undefined): void {
    this.exchange = undefined;
    if (!this.body.done || this.context.draining) this.lastRequest = true;
    const own = answer.fields ?? [];
    const added = [...(edits?.values() ?? [])].flatMap(({ name, value }) =>
      value === undefined ? [] : [[name, value] as const],
    );
    const bytes = renderAnswer(
      { ...answer, fields: [...own.filter(([name]) => edits?.has(name.toLowerCase()) !== true), ...added] },
      {
        now: this.context.clock.now(),
        toHead: this.toHead,
        connection: this.lastRequest ? "close" : this.minor === 0 ? "keep-alive" : "",
      },
    );
    this.connection.write(bytes);
    this.afterAnswer();
  }

  private afterAnswer(): void {
    if (this.state === "closed") return;
    if (this.lastRequest || this.state === "tunnel") {
      this.close();
      return;
    }
    if (this.connection.blocked) {
      this.state = "flush";
      this.expectWithin(this.context.limits.clientIdleMs);
      return;
    }
    this.next();
  }

  private next(): void {
    this.state = "head";
    if (this.held === undefined) {
      if (this.context.draining) {
        this.close();
        return;
      }
      this.expectWithin(this.context.limits.keepAliveMs);
    } else this.expectWithin(this.context.limits.headerMs);
    this.connection.resume();
    this.work();
    this.letGo();
  }

  /** Sends FIN and reads on for a moment: closing at once with bytes unread would reset the answer on its way. */
  private close(): void {
    const { connection } = this;
    if (this.clientCloses && this.body.done && this.held === undefined && !connection.tls && !connection.blocked) {
      // Nothing is on its way here, so closing at once loses nothing.
      this.state = "closed";
      connection.destroy();
      return;
    }
    this.state = "linger";
    this.held = undefined;
    const { clientIdleMs, lingerMs } = this.context.limits;
    // What the client has not taken yet has the time of any answer.
    this.expectWithin(connection.blocked ? clientIdleMs : lingerMs);
    connection.end();
    connection.resume();
  }

  abort(): void {
    this.exchange = undefined;
    this.state = "closed";
    this.connection.destroy();
  }

  sendContinue(): void {
    this.connection.write(continueHead);
  }

  switchProtocols(): void {
    this.state = "tunnel";
    const { held } = this;
    this.held = undefined;
    this.connection.resume();
    if (held !== undefined) this.exchange?.tunnelFromClient(held, 0, held.length);
  }

  pauseBody(): void {
    this.connection.pause();
  }

  resumeBody(): void {
    if (this.held === undefined) this.connection.resume();
  }

  expectWithin(ms: number): void {
    this.deadline = ms === 0 ? 0 : this.context.deadlines.now + ms;
  }

  // What happens to the connection.

  onDrain(): void {
    if (this.state === "flush") this.next();
    else if (this.state === "linger") this.expectWithin(this.context.limits.lingerMs);
    else this.exchange?.clientDrained();
  }

  onEnd(): void {
    // A client that closes its side is gone, as nginx sees it; nobody would read the answer.
    if (this.state !== "linger") this.leave();
    this.connection.end();
    this.expectWithin(this.context.limits.lingerMs);
  }

  onClose(): void {
    this.leave();
    this.state = "closed";
    this.context.deadlines.delete(this);
    this.left();
  }

  private leave(): void {
    const { exchange } = this;
    this.exchange = undefined;
    exchange?.clientGone();
    if (this.state !== "closed") this.state = "linger";
  }

  onDeadline(): void {
    switch (this.state) {
      case "head":
        if (this.held === undefined) this.close();
        else this.reject({ status: 408 });
        break;
      case "exchange":
      case "tunnel":
        this.exchange?.onDeadline();
        break;
      default:
        this.connection.destroy();
    }
  }
}

/** How long a connection without any request is kept when the worker stops. */
const freshMs = 1_000;

/** A head this large is read again even when no line ended: it may be too large. */
const dripBytes = 16 * 1024;

function later(second: WriteResult, first: WriteResult): WriteResult {
  return first === lent ? lent : second;
}
