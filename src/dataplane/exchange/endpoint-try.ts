import { parseRequestHead } from "#wire/http1/request.ts";
import { locatePath } from "#wire/http1/target.ts";
import { counter } from "../counters.ts";
import { composeRequest } from "../http1/compose-request.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import type { RetryCondition } from "../table.ts";
import { lent, type Connection } from "../transport/connection.ts";
import { wordOf } from "./ending.ts";
import type { Exchange } from "./exchange.ts";
import { BodyPump, isOneWrite } from "./gathered/body-pump.ts";
import { gatheredFields } from "./gathered/gather.ts";

const crlf = Buffer.from("\r\n", "latin1");

/** Why a request had no further try although it might have. */
const overBudget = "; too many others are on a further try";

/** How old an idle connection may be for a request that cannot be sent twice. */
const freshMs = 2_000;

/** Goes to the endpoint that is next, or waits for its turn where all are full. */
export function goTo(exchange: Exchange, next: Endpoint | "full" | undefined, parsed: boolean): void {
  if (next === undefined) exchange.fail(502, "no endpoint left");
  else if (next === "full") waitForTurn(exchange);
  else tryEndpoint(exchange, next, parsed);
}

/** Every endpoint has as many connections as it may. */
function waitForTurn(exchange: Exchange): void {
  const turn = exchange.decision.backend?.wait(() => takeTurn(exchange));
  if (typeof turn === "string") {
    exchange.overflow(turn);
    return;
  }
  exchange.cancelTurn = turn;
  exchange.wait("turn");
}

/** Returns whether it had a use for the turn. */
function takeTurn(exchange: Exchange): boolean {
  const next = exchange.attempts?.next();
  if (next === "full") return false;
  exchange.cancelTurn = undefined;
  try {
    goTo(exchange, next, false);
  } catch (error) {
    exchange.context.onFault(error);
    exchange.fail(500, "a defect");
  }
  return true;
}

function tryEndpoint(exchange: Exchange, endpoint: Endpoint, parsed: boolean): void {
  const { attempts } = exchange;
  const { backend, live } = exchange.decision;
  if (attempts === undefined || backend === undefined) return;
  if (attempts.tried.length > 0) exchange.count(counter.retries, 1);
  attempts.tried.push(endpoint);
  backend.enter(endpoint);
  exchange.endpoint = endpoint;
  live?.serveBy(endpoint, backend);
  const { upstreamIdleMs } = exchange.context.limits;
  // What cannot be sent twice goes out on a connection that was used a moment ago, or on a new one.
  const idle = endpoint.take(attempts.isReplayable ? 0 : exchange.context.deadlines.now + upstreamIdleMs - freshMs);
  if (idle !== undefined) send(exchange, idle, true, parsed);
  else {
    backend.makeRoom(endpoint);
    connect(exchange, endpoint, parsed);
  }
}

/** `parsed`: `context.requestHead` still holds the request's head, as long as this does not return. */
function connect(exchange: Exchange, endpoint: Endpoint, parsed: boolean): void {
  exchange.wait("connect");
  exchange.reused = false;
  const askedAt = exchange.context.clock.monotonic();
  let returned = false;
  const connecting = endpoint.connect(exchange.context, (result) => {
    exchange.connecting = undefined;
    if (result instanceof Error) {
      passOver(exchange);
      giveUpOn(exchange, "error", wordOf(result), 502);
      return;
    }
    endpoint.failedUntil = 0;
    exchange.books.observeConnect(exchange.context.clock.monotonic() - askedAt, exchange.endpoint);
    send(exchange, result, false, parsed && !returned);
  });
  returned = true;
  exchange.connecting = connecting;
}

/** The endpoint is not tried again for a moment, by anybody, while there are others. */
export function passOver(exchange: Exchange): void {
  const { deadlines, limits } = exchange.context;
  if (exchange.endpoint !== undefined) exchange.endpoint.failedUntil = deadlines.now + limits.endpointSkipMs;
}

/** The endpoint did not serve the request: another one does where that may be, else the client is told. */
export function giveUpOn(exchange: Exchange, condition: RetryCondition, reason: string, status: number): void {
  const { attempts } = exchange;
  // That an idle connection was closed says nothing about the endpoint.
  if (!exchange.reused || condition !== "error") noteFailure(exchange);
  const next = canFollow(exchange, condition) ? attempts?.next() : undefined;
  if (next === undefined) exchange.fail(status, attempts?.isOverBudget === true ? `${reason}${overBudget}` : reason);
  else followWith(exchange, next, reason);
}

/** Whether another endpoint may be tried: the client has heard nothing yet. */
function canFollow(exchange: Exchange, condition: RetryCondition): boolean {
  const untouched = !exchange.responding && exchange.partial === undefined;
  return (untouched || condition === "invalid_header") && exchange.attempts?.mayFollow(condition) === true;
}

/** Leaves the endpoint for another one, and writes down why. */
export function followWith(exchange: Exchange, next: Endpoint | "full", reason: string): void {
  exchange.record(reason, 0);
  // Nobody takes what the client sends meanwhile.
  if (!exchange.bodySent) exchange.client.pauseBody();
  exchange.partial = undefined;
  exchange.dropUpstream();
  exchange.leaveEndpoint();
  goTo(exchange, next, false);
}

/** Told to the backend, which leaves out an endpoint that fails again and again. */
export function noteFailure(exchange: Exchange): void {
  if (exchange.endpoint !== undefined)
    exchange.decision.backend?.failed(exchange.endpoint, exchange.context.deadlines.now);
}

/** The head goes out, with what there is of the body; `parsed` as in `connect`. */
function send(exchange: Exchange, upstream: Connection, reused: boolean, parsed: boolean): void {
  const { context, request, early, attempts } = exchange;
  const { writer, requestHead } = context;
  if (attempts !== undefined) attempts.wasSent = true;
  exchange.upstream = upstream;
  exchange.reused = reused;
  exchange.reusable = false;
  upstream.handler = exchange;
  if (!parsed) {
    parseRequestHead(request.bytes, request.headStart, request.headEnd, requestHead);
    locatePath(request.bytes, requestHead);
  }
  writer.reset();
  const { gathered } = exchange;
  const edits = gathered === undefined ? exchange.requestFields : gatheredFields(exchange, gathered);
  composeRequest(writer, request, requestHead, exchange.decision.rewritten, edits);
  if (gathered === undefined) {
    if (early.end > early.start) writer.copy(request.bytes, early.start, early.end);
    if (early.cut && early.last) writer.bytes(crlf);
    attempts?.body?.writeTo(writer);
  } else if (isOneWrite(gathered)) for (const part of gathered.body.parts) writer.bytes(part);
  else exchange.pump = new BodyPump(exchange, gathered.body, upstream);
  // Asking for the time costs: what goes out at once has begun just now.
  exchange.books.sentAt = parsed && reused ? exchange.books.begunAt : context.clock.monotonic();
  const result = upstream.write(writer.view());
  if (result === lent) writer.renew();
  if (exchange.bodySent) {
    exchange.wait(exchange.pump === undefined ? "read" : "send");
    if (result !== lent) exchange.pump?.next();
    return;
  }
  if (request.expectsContinue && !exchange.hasContinued) exchange.client.sendContinue();
  exchange.hasContinued = true;
  if (result === lent) exchange.wait("send");
  else {
    exchange.wait("client");
    exchange.client.resumeBody();
  }
}

/** The endpoint's connection is gone before the response was whole. */
export function lost(exchange: Exchange, reason: string): void {
  if (exchange.ended) return;
  const untouched = !exchange.responding && exchange.partial === undefined;
  if (untouched && exchange.reused && exchange.attempts?.isReplayable === true && exchange.endpoint !== undefined) {
    // The endpoint closed an idle connection just when the request went out; that is no failure of the endpoint.
    if (!exchange.bodySent) exchange.client.pauseBody();
    exchange.dropUpstream();
    exchange.count(counter.retries, 1);
    connect(exchange, exchange.endpoint, false);
    return;
  }
  if (exchange.responding) {
    exchange.fail(502, reason);
    return;
  }
  if (!exchange.reused) passOver(exchange);
  giveUpOn(exchange, "error", reason, 502);
}
