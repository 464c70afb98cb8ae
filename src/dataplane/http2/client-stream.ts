import { chunkedBody, untilClose } from "#wire/http1/framing.ts";
import { parseResponseHead } from "#wire/http1/response.ts";
import { mark } from "#wire/http2/fields.ts";
import { errorCode } from "#wire/http2/frame.ts";
import type { FieldLines } from "#wire/http2/hpack/lines.ts";
import type { ServeContext } from "../context.ts";
import type { Timed } from "../deadline.ts";
import type { Downstream, ResponseHead } from "../exchange/downstream.ts";
import { Exchange } from "../exchange/exchange.ts";
import type { ClientRequest } from "../exchange/request.ts";
import type { FieldEdits } from "../filters/filter.ts";
import { reasonOf, renderAnswer, type Answer } from "../page.ts";
import { lent, sent, type WriteResult } from "../transport/connection.ts";
import { ChunkSplitter, renderChunk } from "./chunks.ts";
import { composeFields, trailerWriter } from "./compose-fields.ts";
import { grpcFields } from "./grpc.ts";
import type { Http2Stream, StreamHandler } from "./stream.ts";

/** Of the handshake of a WebSocket over HTTP/1.1; there is none over HTTP/2 (RFC 8441 section 5). */
const handshake: ReadonlySet<string> = new Set(["sec-websocket-accept"]);
const lengthOnly: ReadonlySet<string> = new Set(["content-length"]);

/** What is known of a request beside its head. */
export interface StreamRequest {
  readonly request: ClientRequest;
  readonly grpc: boolean;
  /** An extended CONNECT. */
  readonly tunnel: boolean;
  /** There is no body. */
  readonly last: boolean;
}

interface Part {
  readonly bytes: Buffer;
  readonly last: boolean;
  readonly trailers?: Buffer;
}

/** One request of an HTTP/2 client: gives its body to the exchange, and the answer to the stream. */
export class ClientStream implements Downstream, StreamHandler, Timed {
  deadline = 0;
  private readonly context: ServeContext;
  private readonly stream: Http2Stream;
  private exchange: Exchange | undefined;
  private toHead = false;
  private grpc = false;
  private wantsTunnel = false;
  private tunnel = false;
  /** The request's body as its head announced it. */
  private framing = 0;
  private received = 0;
  private paused = true;
  private held: Part[] | undefined;
  /** The answer's body: bytes that are still to come, or its chunks. */
  private left = 0;
  private splitter: ChunkSplitter | undefined;

  /** Becomes the handler of `stream`. */
  constructor(context: ServeContext, stream: Http2Stream) {
    this.context = context;
    this.stream = stream;
    stream.handler = this;
    context.deadlines.add(this);
  }

  /** Takes a request on its way. `context.requestHead` holds its head. */
  begin({ request, grpc, tunnel, last }: StreamRequest): void {
    this.toHead = request.toHead;
    this.grpc = grpc;
    this.wantsTunnel = tunnel;
    this.framing = tunnel ? untilClose : request.framing;
    const early = { start: request.headEnd, end: request.headEnd, cut: false, last: last || tunnel };
    this.exchange = new Exchange(this.context, this, request, early);
    this.exchange.begin();
  }

  /** Answers a request that goes nowhere. */
  refuse(answer: Answer, toHead: boolean): void {
    this.toHead = toHead;
    this.answer(answer, undefined);
  }

  // What the client sends.

  onData(bytes: Buffer, start: number, end: number, last: boolean): void {
    const { exchange } = this;
    if (exchange === undefined) {
      this.stream.consumed(end - start);
      return;
    }
    this.received += end - start;
    if (this.framing <= maxLength && (last ? this.received !== this.framing : this.received > this.framing)) {
      // RFC 9113 section 8.1.1: the sum of DATA is not what content-length says.
      this.malformed();
      return;
    }
    const limit = exchange.maxBodyBytes;
    if (limit > 0 && this.received > limit && !this.wantsTunnel) {
      this.stream.consumed(end - start);
      exchange.refuseBody(413, "body too large");
      return;
    }
    if (this.paused) this.hold({ bytes: Buffer.from(bytes.subarray(start, end)), last });
    else this.pass({ bytes: bytes.subarray(start, end), last });
  }

  /** Trailers: the last thing a request says. */
  onHeaders(lines: FieldLines, last: boolean): void {
    let good = last && !this.wantsTunnel && !lines.overflow;
    for (let field = 0; field < lines.count; field += 1) {
      const kind = lines.mark(field);
      if (kind !== mark.plain && kind !== mark.cookie) good = false;
    }
    if (!good || (this.framing <= maxLength && this.received !== this.framing)) {
      this.malformed();
      return;
    }
    if (this.exchange === undefined) return;
    const trailers = Buffer.from(lines.bytes.subarray(0, lines.length));
    const part = { bytes: nothing, last: true, trailers };
    if (this.paused) this.hold(part);
    else this.pass(part);
  }

  private hold(part: Part): void {
    this.held ??= [];
    this.held.push(part);
  }

  private malformed(): void {
    const { exchange } = this;
    this.exchange = undefined;
    exchange?.clientGone();
    this.stream.reset(errorCode.protocol);
  }

  private pass({ bytes, last, trailers }: Part): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    this.stream.consumed(bytes.length);
    if (this.tunnel) {
      if (bytes.length > 0) exchange.tunnelFromClient(bytes, 0, bytes.length);
      if (last) {
        this.exchange = undefined;
        exchange.clientGone();
        this.stream.sendData(nothing, 0, 0, true);
      }
    } else if (this.framing === chunkedBody) {
      const chunk = renderChunk(bytes, last, exchange.passesTrailers ? trailers : undefined);
      if (chunk.length > 0) exchange.requestBody(chunk, 0, chunk.length, last, false);
    } else exchange.requestBody(bytes, 0, bytes.length, last, false);
  }

  pauseBody(): void {
    this.paused = true;
  }

  resumeBody(): void {
    // A tunnel begins with the answer; what comes before is not for the endpoint's ears.
    if (this.wantsTunnel && !this.tunnel) return;
    this.paused = false;
    while (!this.paused) {
      const part = this.held?.shift();
      if (part === undefined) return;
      this.pass(part);
    }
  }

  onReset(): void {
    this.leave();
  }

  onClose(): void {
    this.context.deadlines.delete(this);
    // A stream that ends in good order has given its exchange up before, or gives it up on this call stack.
    if (!this.stream.ended) this.leave();
  }

  private leave(): void {
    const { exchange } = this;
    this.exchange = undefined;
    exchange?.clientGone();
  }

  // What goes to the client.

  sendHead({ bytes, headEnd, head, framing, edits }: ResponseHead, bodyEnd: number): WriteResult {
    const { status } = head;
    if (this.wantsTunnel && status >= 200 && status < 300) {
      // To this client it would say that a tunnel stands.
      this.answer({ status: 502 }, undefined);
      return sent;
    }
    const isSwitch = status === 101;
    this.left = framing;
    this.splitter = framing === chunkedBody ? new ChunkSplitter() : undefined;
    if (isSwitch) this.left = untilClose;
    this.splitter?.feed(bytes, headEnd, bodyEnd);
    const last =
      !isSwitch && (this.left === 0 || (this.splitter?.finished === true && this.splitter.stretches.length === 0));
    const without = isSwitch ? handshake : status === 204 ? lengthOnly : undefined;
    // Answers without a body but with trailers are one block (gRPC's Trailers-Only is not this: it has no trailers).
    const trailers = last && this.splitter !== undefined ? trailerWriter(this.splitter.section) : undefined;
    this.stream.sendHeaders(
      (encoder, out) => {
        encoder.status(out, isSwitch ? 200 : status);
        composeFields(encoder, out, { bytes, head, edits, without });
      },
      last && trailers === undefined,
    );
    if (trailers !== undefined) this.stream.sendTrailers(trailers);
    if (last || bodyEnd === headEnd) return this.stream.blocked ? lent : sent;
    return this.splitter === undefined ? this.sendPlain(bytes, headEnd, bodyEnd) : this.sendStretches(bytes);
  }

  sendBody(bytes: Buffer, start: number, end: number): WriteResult {
    if (this.splitter === undefined) return this.sendPlain(bytes, start, end);
    this.splitter.feed(bytes, start, end);
    return this.sendStretches(bytes);
  }

  private sendPlain(bytes: Buffer, start: number, end: number): WriteResult {
    if (this.left !== untilClose) this.left -= end - start;
    if (end === start) return this.stream.blocked ? lent : sent;
    return this.stream.sendData(bytes, start, end, this.left === 0);
  }

  private sendStretches(bytes: Buffer): WriteResult {
    const { splitter, stream } = this;
    if (splitter === undefined) return sent;
    const { stretches, finished } = splitter;
    const trailers = finished ? trailerWriter(splitter.section) : undefined;
    for (let at = 0; at < stretches.length; at += 2) {
      const last = finished && trailers === undefined && at + 2 === stretches.length;
      stream.sendData(bytes, stretches[at] ?? 0, stretches[at + 1] ?? 0, last);
    }
    if (trailers !== undefined) stream.sendTrailers(trailers);
    else if (finished && stretches.length === 0) stream.sendData(bytes, 0, 0, true);
    return stream.blocked ? lent : sent;
  }

  finish(): void {
    this.exchange = undefined;
    this.stream.sendData(nothing, 0, 0, true);
    this.expectFlush();
  }

  answer(answer: Answer, edits: FieldEdits | undefined): void {
    // Most often it has ended before; it has not where its answer cannot go to this client.
    this.leave();
    if (this.grpc) {
      const fields = grpcFields(answer.status, reasonOf(answer.status));
      this.stream.sendHeaders((encoder, out) => {
        encoder.status(out, 200);
        for (const [name, value] of fields) encoder.text(out, name, value);
      }, true);
      return;
    }
    this.wantsTunnel = false;
    const { responseHead: head, clock } = this.context;
    const bytes = renderAnswer(answer, { now: clock.now(), toHead: this.toHead, connection: "" });
    const headEnd = parseResponseHead(bytes, 0, bytes.length, head);
    this.sendHead({ bytes, headEnd, head, framing: bytes.length - headEnd, edits }, bytes.length);
    this.expectFlush();
  }

  /** What waits for the client's windows waits no longer than a client may be idle. */
  private expectFlush(): void {
    if (!this.stream.closed) this.expectWithin(this.context.limits.clientIdleMs);
  }

  abort(): void {
    this.exchange = undefined;
    this.stream.reset(errorCode.internal);
  }

  sendContinue(): void {
    this.stream.sendHeaders((encoder, out) => encoder.status(out, 100), false);
  }

  switchProtocols(): void {
    this.tunnel = true;
    this.resumeBody();
  }

  expectWithin(ms: number): void {
    this.deadline = ms === 0 ? 0 : this.context.deadlines.now + ms;
  }

  onDrain(): void {
    this.exchange?.clientDrained();
  }

  onDeadline(): void {
    if (this.exchange === undefined) this.stream.reset(errorCode.cancel);
    else this.exchange.onDeadline();
  }
}

const nothing = Buffer.alloc(0);

/** The longest length a Content-Length can say; what is above marks chunks. */
const maxLength = 999_999_999_999_999;
