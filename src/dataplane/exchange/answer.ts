import { responseFraming, untilClose } from "#wire/http1/framing.ts";
import { problemOf } from "#wire/http1/problem.ts";
import { maxResponseHeadBytes, parseResponseHead } from "#wire/http1/response.ts";
import { headroom, lent, type WriteResult } from "../transport/connection.ts";
import { classOf } from "./booking.ts";
import { compress, compressorFor } from "./compressed-answer.ts";
import { planFor } from "./compressor.ts";
import { followWith, giveUpOn, noteFailure } from "./endpoint-try.ts";
import type { Exchange } from "./exchange.ts";
import { switchProtocols } from "./tunnel.ts";

/** Bytes of the head of an answer, maybe not all of them, maybe with what follows it. */
export function responseHead(exchange: Exchange, chunk: Buffer, chunkStart: number, chunkEnd: number): void {
  let bytes = chunk;
  let start = chunkStart;
  let end = chunkEnd;
  if (exchange.partial !== undefined) {
    const held = exchange.partial;
    bytes = Buffer.allocUnsafeSlow(headroom + held.length + end - start);
    held.copy(bytes, headroom);
    chunk.copy(bytes, headroom + held.length, start, end);
    end = bytes.length;
    start = headroom;
    exchange.partial = undefined;
  }
  const { responseHead: head } = exchange.context;
  for (;;) {
    const at = parseResponseHead(bytes, start, end, head);
    if (at === 0 && end - start < maxResponseHeadBytes) {
      exchange.partial = Buffer.from(bytes.subarray(start, end));
      exchange.wait("read");
      return;
    }
    const framing = at > 0 ? responseFraming(bytes, head, exchange.request.toHead) : at;
    if (framing < 0) {
      giveUpOn(exchange, "invalid_header", `bad response: ${problemOf(framing).message}`, 502);
      return;
    }
    if (head.status === 101) {
      switchProtocols(exchange, bytes, at, end);
      return;
    }
    if (head.status >= 200) {
      if (!goesElsewhere(exchange, head.status)) beginResponse(exchange, bytes, at, end, framing);
      return;
    }
    // 100 was said by us if the client waits for it; 103 is for caches in front.
    start = at;
    if (start === end) return;
  }
}

/** An answer that the route does not want, while it may have another one. */
function goesElsewhere(exchange: Exchange, status: number): boolean {
  const { attempts } = exchange;
  const next = attempts?.mayFollowAnswer(status) === true ? attempts.next(true) : undefined;
  if (next === undefined || next === "full") return false;
  if (isGatewayError(status)) noteFailure(exchange);
  followWith(exchange, next, `answered ${status}`);
  return true;
}

/** The head is whole, and it is the answer for the client. */
function beginResponse(exchange: Exchange, bytes: Buffer, headEnd: number, end: number, framing: number): void {
  const { responseHead: head } = exchange.context;
  exchange.responding = true;
  exchange.books.answered(head.status);
  if (isGatewayError(head.status)) noteFailure(exchange);
  else if (exchange.endpoint !== undefined) exchange.decision.backend?.succeeded(exchange.endpoint);
  measure(exchange);
  exchange.body.begin(framing);
  exchange.reusable = framing !== untilClose && (head.minor === 1 ? !head.close : head.keepAlive);
  exchange.count(classOf(head.status), 1);
  const mayCompress = exchange.decision.route?.filters.compression !== undefined;
  const response = mayCompress ? { bytes, head, framing } : undefined;
  const plan =
    response === undefined ? undefined : planFor(exchange.decision, exchange.request, response, exchange.body);
  const bodyEnd = exchange.body.feed(bytes, headEnd, end);
  if (bodyEnd < 0) {
    exchange.responding = false;
    exchange.fail(502, `bad response: ${problemOf(bodyEnd).message}`);
    return;
  }
  const compressor = plan === undefined || response === undefined ? undefined : compressorFor(exchange, plan, response);
  const edits = exchange.responseFields(head.status);
  if (compressor !== undefined) {
    const result = exchange.client.sendHead({ bytes, headEnd, head, framing: untilClose, edits }, headEnd);
    if (result === lent) exchange.upstream?.keepReadBuffer();
    compress(exchange, compressor, bytes, headEnd, bodyEnd, end > bodyEnd);
    return;
  }
  exchange.books.isPrompt = true;
  const result = exchange.client.sendHead({ bytes, headEnd, head, framing, edits }, bodyEnd);
  afterResponseBytes(exchange, result, end > bodyEnd);
  exchange.books.isPrompt = false;
}

function measure(exchange: Exchange): void {
  const { backend } = exchange.decision;
  if (backend?.isMeasured !== true || exchange.endpoint === undefined) return;
  backend.measure(exchange.endpoint, exchange.books.answeredAt - exchange.books.sentAt, exchange.context.deadlines.now);
}

function afterResponseBytes(exchange: Exchange, result: WriteResult, excess: boolean): void {
  if (exchange.ended) return;
  if (exchange.body.done) {
    if (excess) exchange.reusable = false;
    if (result === lent) exchange.upstream?.keepReadBuffer();
    exchange.complete();
    return;
  }
  if (result === lent) {
    exchange.upstream?.pause();
    exchange.wait("client");
  } else exchange.wait("read");
}

/** Bytes of the body of an answer whose head went out. */
export function responseBody(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
  if (exchange.body.done) {
    // More than the response, while what was compressed of it is still on its way.
    exchange.reusable = false;
    return;
  }
  const bodyEnd = exchange.body.feed(bytes, start, end);
  if (bodyEnd < 0) {
    exchange.fail(502, `bad response: ${problemOf(bodyEnd).message}`);
    return;
  }
  if (exchange.compressor === undefined)
    afterResponseBytes(exchange, exchange.client.sendBody(bytes, start, bodyEnd), end > bodyEnd);
  else compress(exchange, exchange.compressor, bytes, start, bodyEnd, end > bodyEnd);
}

/** The endpoint sends no more. Returns false where that is not the end of a whole answer. */
export function endOfResponse(exchange: Exchange): boolean {
  const { body, compressor } = exchange;
  if (!exchange.responding || (!body.untilClose && !body.done)) return false;
  const isNews = !body.done;
  body.done = true;
  exchange.reusable = false;
  if (compressor === undefined) exchange.complete();
  else if (isNews) compressor.end();
  return true;
}

/** What an endpoint says that cannot serve, or whose own endpoints cannot. */
function isGatewayError(status: number): boolean {
  return status >= 502 && status <= 504;
}
