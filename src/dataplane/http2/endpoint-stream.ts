import { chunkedBody, requestFraming } from "#wire/http1/framing.ts";
import { HeadTable } from "#wire/http1/head.ts";
import { parseRequestHead } from "#wire/http1/request.ts";
import { mark } from "#wire/http2/fields.ts";
import { errorCode, errorName } from "#wire/http2/frame.ts";
import type { FieldLines } from "#wire/http2/hpack/lines.ts";
import { sent, type Connection, type ConnectionHandler, type WriteResult } from "../transport/connection.ts";
import { ChunkSplitter, renderChunk } from "./chunks.ts";
import { composeFields, trailerWriter } from "./compose-fields.ts";
import { isGrpc } from "./grpc.ts";
import type { Http2Stream, StreamHandler } from "./stream.ts";

const nothing = Buffer.alloc(0);
const crlf = Buffer.from("\r\n", "latin1");
const silent: ConnectionHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };
/** `:authority` says it, and `te` is ours to say. */
const replaced: ReadonlySet<string> = new Set(["host", "te"]);
const requestTable = new HeadTable();

/**
 * One request to an endpoint that speaks HTTP/2, for an exchange that speaks HTTP/1.1: what is written here is a head and
 * a body of HTTP/1.1, and so is what it is told. Trailers go along as those of a chunked body, both ways.
 */
export class EndpointStream implements Connection, StreamHandler {
  letsGo = false;
  handler: ConnectionHandler = silent;
  readonly tls: boolean;
  readonly http2 = true;
  readonly localPort = 0;
  private readonly connection: Connection;
  private readonly stream: Http2Stream;
  private readonly unanswered: () => void;
  private begun = false;
  /** Of the request's body: bytes to come, or its chunks. */
  private left = 0;
  private splitter: ChunkSplitter | undefined;
  /** The answer's head was passed on, and its body goes on in chunks. */
  private answered = false;
  private chunks = false;
  private paused = false;
  private held: Part[] = [];
  /** Bytes that the answer's length still promises; -1 when it promises none. */
  private promised = -1;
  /** What is told when all that is held was passed on. */
  private ending: (() => void) | undefined;

  /** `unanswered` is called when the stream is given up before its answer began. */
  constructor(connection: Connection, stream: Http2Stream, unanswered: () => void) {
    this.unanswered = unanswered;
    this.tls = connection.tls;
    this.connection = connection;
    this.stream = stream;
    stream.handler = this;
  }

  get remoteAddress(): string {
    return this.connection.remoteAddress;
  }

  get remotePort(): number {
    return this.connection.remotePort;
  }

  get blocked(): boolean {
    return this.stream.blocked;
  }

  get closed(): boolean {
    return this.stream.closed;
  }

  // The request.

  write(bytes: Buffer): WriteResult {
    const at = this.begun ? 0 : this.writeHead(bytes);
    if (at === bytes.length || this.stream.ended) return sent;
    if (this.splitter === undefined) {
      this.left -= bytes.length - at;
      return this.stream.sendData(bytes, at, bytes.length, this.left === 0);
    }
    return this.writeChunks(this.splitter, bytes, at);
  }

  /** The first write begins with a whole head; returns where it ends. */
  private writeHead(bytes: Buffer): number {
    this.begun = true;
    const head = requestTable;
    const headEnd = parseRequestHead(bytes, 0, bytes.length, head);
    const framing = headEnd > 0 ? requestFraming(bytes, head) : -1;
    if (framing < 0) throw new Error("the head for an endpoint is not one of HTTP/1.1");
    this.left = framing;
    this.splitter = framing === chunkedBody ? new ChunkSplitter() : undefined;
    const text = (start: number, end: number) => bytes.toString("latin1", start, end);
    const { hostField } = head;
    this.stream.sendHeaders((encoder, out) => {
      encoder.text(out, ":method", text(head.methodStart, head.methodEnd));
      encoder.text(out, ":scheme", this.tls ? "https" : "http");
      encoder.text(out, ":path", text(head.targetStart, head.targetEnd));
      if (hostField >= 0) {
        encoder.text(out, ":authority", text(head.valueStart(hostField), head.valueEnd(hostField)));
      }
      composeFields(encoder, out, { bytes, head, without: replaced });
      // Without it some servers of gRPC do not send trailers.
      encoder.text(out, "te", "trailers");
    }, framing === 0);
    return headEnd;
  }

  private writeChunks(splitter: ChunkSplitter, bytes: Buffer, start: number): WriteResult {
    splitter.feed(bytes, start, bytes.length);
    const { stretches, finished } = splitter;
    const trailers = finished ? trailerWriter(splitter.section) : undefined;
    let result: WriteResult = sent;
    for (let at = 0; at < stretches.length; at += 2) {
      const last = finished && trailers === undefined && at + 2 === stretches.length;
      result = this.stream.sendData(bytes, stretches[at] ?? 0, stretches[at + 1] ?? 0, last);
    }
    if (trailers !== undefined) this.stream.sendTrailers(trailers);
    else if (finished && stretches.length === 0) result = this.stream.sendData(bytes, 0, 0, true);
    return result;
  }

  // The answer.

  onHeaders(lines: FieldLines, last: boolean): void {
    const rendered = this.answered ? renderTrailers(lines, last, this.chunks) : this.renderHead(lines, last);
    if (rendered === undefined) {
      this.stream.reset(errorCode.protocol);
      this.onReset(errorCode.protocol);
      return;
    }
    if (rendered.length > 0) this.deliver({ bytes: rendered, size: 0 });
    if (last) this.over();
  }

  /** The head in the words of HTTP/1.1; empty for an interim one, `undefined` when it is malformed. */
  private renderHead(lines: FieldLines, last: boolean): Buffer | undefined {
    const status = lines.count > 0 && lines.mark(0) === mark.status ? lines.value(0) : "";
    if (!/^[1-5]\d\d$/.test(status) || status === "101" || lines.overflow) return undefined;
    let length = -1;
    let grpc = false;
    for (let field = 1; field < lines.count; field += 1) {
      const kind = lines.mark(field);
      if (kind === mark.malformed || (kind >= mark.method && kind <= mark.status)) return undefined;
      if (kind === mark.contentLength) length = field;
      if (kind === mark.contentType) grpc = isGrpc(lines.value(field));
    }
    if (status.startsWith("1")) return last ? undefined : nothing;
    this.answered = true;
    if (length >= 0) this.promised = Number(lines.value(length));
    // Trailers need chunks, and gRPC needs trailers.
    this.chunks = length < 0 || grpc;
    const parts: Uint8Array[] = [Buffer.from(`HTTP/1.1 ${status} \r\n`, "latin1")];
    for (let field = 1; field < lines.count; field += 1) {
      if (field !== length || !this.chunks)
        parts.push(lines.bytes.subarray(lines.start(field), lines.start(field + 1)));
    }
    if (this.chunks && !/^(204|304)$/.test(status)) parts.push(Buffer.from("transfer-encoding: chunked\r\n", "latin1"));
    parts.push(crlf);
    if (last && this.chunks) parts.push(renderChunk(nothing, true));
    return Buffer.concat(parts);
  }

  onData(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.promised >= 0) this.promised -= end - start;
    if (!this.answered || (!this.chunks && this.promised < 0)) {
      this.stream.reset(errorCode.protocol);
      this.onReset(errorCode.protocol);
      return;
    }
    const data = bytes.subarray(start, end);
    // A copy in any case: the connection reads on for others into the same memory.
    const part = this.chunks ? renderChunk(data, last) : Buffer.from(data);
    if (part.length > 0) this.deliver({ bytes: part, size: end - start });
    if (last) this.over();
  }

  private deliver(part: Part): void {
    if (this.paused) {
      this.held.push(part);
      return;
    }
    this.stream.consumed(part.size);
    this.handler.onData(part.bytes, 0, part.bytes.length);
  }

  private over(): void {
    this.finally(() => this.handler.onEnd());
  }

  private finally(tell: () => void): void {
    if (this.held.length > 0) this.ending ??= tell;
    else tell();
  }

  onReset(code: number): void {
    const error: NodeJS.ErrnoException = new Error(`the endpoint ended the stream: ${errorName(code)}`);
    error.code = `HTTP/2 ${errorName(code)}`;
    this.finally(() => this.handler.onClose(error));
  }

  onClose(): void {}

  onDrain(): void {
    this.handler.onDrain();
  }

  // What the exchange asks of a connection.

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (!this.paused) {
      const part = this.held.shift();
      if (part === undefined) break;
      this.deliver(part);
    }
    if (this.held.length > 0 || this.ending === undefined) return;
    const tell = this.ending;
    this.ending = undefined;
    tell();
  }

  /** What is told was copied before. */
  keepReadBuffer(): void {}

  /** Nothing more will be written, and an answer is still wanted. */
  end(): void {
    this.stream.sendData(nothing, 0, 0, true);
  }

  destroy(): void {
    this.held = [];
    this.ending = undefined;
    if (!this.answered && !this.stream.closed) this.unanswered();
    // Of what closes in good order, or has only END_STREAM to come, nothing needs to be said: endpoints count resets.
    if (!this.stream.ended || (!this.stream.remoteEnded && this.promised !== 0)) this.stream.reset(errorCode.cancel);
  }
}

/** Bytes in the words of HTTP/1.1, and how much of the window they took. */
interface Part {
  readonly bytes: Buffer;
  readonly size: number;
}

function renderTrailers(lines: FieldLines, last: boolean, chunks: boolean): Buffer | undefined {
  if (!last || lines.overflow) return undefined;
  for (let field = 0; field < lines.count; field += 1) {
    const kind = lines.mark(field);
    if (kind !== mark.plain && kind !== mark.cookie && kind !== mark.contentType) return undefined;
  }
  // A body of known length has no place for them in HTTP/1.1.
  return chunks ? renderChunk(nothing, true, lines.bytes.subarray(0, lines.length)) : nothing;
}
