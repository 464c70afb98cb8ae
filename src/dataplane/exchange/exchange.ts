import { responseFraming, untilClose } from "#wire/http1/framing.ts";
import { problemOf } from "#wire/http1/problem.ts";
import { parseRequestHead } from "#wire/http1/request.ts";
import { maxResponseHeadBytes, parseResponseHead } from "#wire/http1/response.ts";
import { locatePath } from "#wire/http1/target.ts";
import type { ServeContext } from "../context.ts";
import { counter } from "../counters.ts";
import { BodyReader } from "../http1/body.ts";
import { composeRequest } from "../http1/compose-request.ts";
import { joinEdits } from "../filters/edits.ts";
import type { FieldEdits } from "../filters/filter.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import type { RetryCondition } from "../table.ts";
import {
  headroom,
  lent,
  sent,
  type Connecting,
  type Connection,
  type ConnectionHandler,
} from "../transport/connection.ts";
import type { WriteResult } from "../transport/connection.ts";
import { Attempts } from "./attempts.ts";
import { classOf } from "./booking.ts";
import { Books } from "./books.ts";
import { Compressor, editFields, planFor, type Plan, type ReadResponse } from "./compressor.ts";
import type { Downstream } from "./downstream.ts";
import { closeConnection, silent, wordOf } from "./ending.ts";
import type { ClientRequest } from "./request.ts";
import { continueRequest, routeRequest, type Decision } from "./route-request.ts";

const crlf = Buffer.from("\r\n", "latin1");

/** What the exchange waits for; decides what a passed deadline means. */
type Waiting = "nothing" | "turn" | "connect" | "send" | "read" | "client" | "tunnel";

/** A part of the request body that came together with its head. */
export interface EarlyBody {
  readonly start: number;
  readonly end: number;
  /** Trailers were left out: the end of the chunked body is to be written in their place. */
  readonly cut: boolean;
  /** The body is whole. */
  readonly last: boolean;
}

/**
 * One request on its way: choose route and endpoint, send the head, move the bodies both ways at the pace of the slower
 * side, and answer for every way in which an endpoint can fail. It is the handler of the endpoint's connection.
 */
export class Exchange implements ConnectionHandler {
  private readonly context: ServeContext;
  private readonly client: Downstream;
  private readonly request: ClientRequest;
  private readonly early: EarlyBody;
  private decision: Decision = {};
  private endpoint: Endpoint | undefined;
  private connecting: Connecting | undefined;
  private upstream: Connection | undefined;
  private attempts: Attempts | undefined;
  private hasContinued = false;
  private reused = false;
  private readonly books: Books;
  private compressor: Compressor | undefined;
  private waiting: Waiting = "nothing";
  private bodySent: boolean;
  private partial: Buffer | undefined;
  private responding = false;
  private tunnel = false;
  private ended = false;
  private cancelGuard: (() => void) | undefined;
  private cancelTurn: (() => void) | undefined;
  private reusable = false;
  private readonly body = new BodyReader();

  constructor(context: ServeContext, client: Downstream, request: ClientRequest, early: EarlyBody) {
    this.context = context;
    this.client = client;
    this.request = request;
    this.early = early;
    this.bodySent = early.last;
    this.books = new Books(context, request);
  }

  /** 0 for no limit. */
  get maxBodyBytes(): number {
    return this.decision.route?.entry.maxBodyBytes ?? 0;
  }

  /** Whether the endpoint is told trailers of the request. */
  get passesTrailers(): boolean {
    return this.decision.backend?.entry.protocol.startsWith("h2") === true;
  }

  private responseFields(status: number): FieldEdits | undefined {
    const { route, live } = this.decision;
    live?.respond(status);
    const ofRoute = this.request.encrypted ? route?.filters.secureResponseFields : route?.filters.responseFields;
    return live === undefined ? ofRoute : joinEdits(ofRoute, live.answered);
  }

  private get requestFields(): FieldEdits | undefined {
    const { route, live } = this.decision;
    return live === undefined ? route?.filters.requestFields : joinEdits(route?.filters.requestFields, live.requested);
  }

  get isOver(): boolean {
    return this.ended;
  }

  /** Whether the part of the body that came with the head may have to be sent, or sent again. */
  get needsEarlyBody(): boolean {
    return this.attempts?.wasSent !== true || this.attempts.isReplayable;
  }

  /** Begins; `context.requestHead` holds the request's head at this moment. */
  begin(): void {
    this.decide(routeRequest(this.context, this.request));
    this.count(counter.requests, 1);
    this.count(counter.open, 1);
    if (this.early.end > this.early.start) this.count(counter.bytesIn, this.early.end - this.early.start);
    this.proceed(true);
  }

  private decide(decision: Decision): void {
    this.decision = decision;
    this.books.decision = decision;
  }

  /** Answers, waits for a guard, or goes to an endpoint; `parsed` while the context holds the request's head. */
  private proceed(parsed: boolean): void {
    const { decision } = this;
    if (decision.later !== undefined) {
      let isOver = false;
      const cancel = decision.later.start((answer) => {
        isOver = true;
        this.cancelGuard = undefined;
        if (this.ended) return;
        this.decide(continueRequest(decision, answer));
        this.proceed(false);
      });
      if (isOver) return;
      this.cancelGuard = cancel;
      if (decision.live !== undefined) decision.live.isStale = true;
      return;
    }
    if (decision.answer !== undefined) {
      if (decision.reason !== undefined) this.record(decision.reason, decision.answer.status);
      this.books.own = decision.answer;
      this.end();
      this.count(classOf(decision.answer.status), 1);
      this.client.answer(decision.answer, this.responseFields(decision.answer.status));
      return;
    }
    const { backend } = decision;
    const refusal = backend?.refusal();
    if (refusal !== undefined) {
      this.overflow(refusal);
      return;
    }
    this.copyBody(this.request.bytes, this.early.start, this.early.end, this.early);
    if (backend === undefined) return;
    this.attempts = new Attempts(this.context, this.request, decision, backend);
    this.goTo(backend.hasQueue ? "full" : this.attempts.next(), parsed);
  }

  /** The backend's limits leave no room for it. */
  private overflow(reason: string): void {
    this.count(counter.overflows, 1);
    this.fail(503, reason);
  }

  // The request's way to an endpoint.

  private goTo(next: Endpoint | "full" | undefined, parsed: boolean): void {
    if (next === undefined) this.fail(502, "no endpoint left");
    else if (next === "full") this.waitForTurn();
    else this.tryEndpoint(next, parsed);
  }

  /** Every endpoint has as many connections as it may. */
  private waitForTurn(): void {
    const turn = this.decision.backend?.wait(() => this.takeTurn());
    if (typeof turn === "string") {
      this.overflow(turn);
      return;
    }
    this.cancelTurn = turn;
    this.wait("turn");
  }

  /** Returns whether it had a use for the turn. */
  private takeTurn(): boolean {
    const next = this.attempts?.next();
    if (next === "full") return false;
    this.cancelTurn = undefined;
    try {
      this.goTo(next, false);
    } catch (error) {
      this.context.onFault(error);
      this.fail(500, "a defect");
    }
    return true;
  }

  private tryEndpoint(endpoint: Endpoint, parsed: boolean): void {
    const { attempts } = this;
    const { backend, live } = this.decision;
    if (attempts === undefined || backend === undefined) return;
    if (attempts.tried.length > 0) this.count(counter.retries, 1);
    attempts.tried.push(endpoint);
    backend.enter(endpoint);
    this.endpoint = endpoint;
    live?.serveBy(endpoint, backend);
    const { upstreamIdleMs } = this.context.limits;
    // What cannot be sent twice goes out on a connection that was used a moment ago, or on a new one.
    const idle = endpoint.take(attempts.isReplayable ? 0 : this.context.deadlines.now + upstreamIdleMs - freshMs);
    if (idle !== undefined) this.send(idle, true, parsed);
    else {
      backend.makeRoom(endpoint);
      this.connect(endpoint, parsed);
    }
  }

  /** `parsed`: `context.requestHead` still holds the request's head, as long as this does not return. */
  private connect(endpoint: Endpoint, parsed: boolean): void {
    this.wait("connect");
    this.reused = false;
    const askedAt = this.context.clock.monotonic();
    let returned = false;
    const connecting = endpoint.connect(this.context, (result) => {
      this.connecting = undefined;
      if (result instanceof Error) {
        this.passOver();
        this.giveUpOn("error", wordOf(result), 502);
        return;
      }
      endpoint.failedUntil = 0;
      this.books.observeConnect(this.context.clock.monotonic() - askedAt, this.endpoint);
      this.send(result, false, parsed && !returned);
    });
    returned = true;
    this.connecting = connecting;
  }

  /** The endpoint is not tried again for a moment, by anybody, while there are others. */
  private passOver(): void {
    const { deadlines, limits } = this.context;
    if (this.endpoint !== undefined) this.endpoint.failedUntil = deadlines.now + limits.endpointSkipMs;
  }

  /** The endpoint did not serve the request: another one does where that may be, else the client is told. */
  private giveUpOn(condition: RetryCondition, reason: string, status: number): void {
    const { attempts } = this;
    // That an idle connection was closed says nothing about the endpoint.
    if (!this.reused || condition !== "error") this.noteFailure();
    const next = this.canFollow(condition) ? attempts?.next() : undefined;
    if (next === undefined) this.fail(status, attempts?.isOverBudget === true ? `${reason}${overBudget}` : reason);
    else this.followWith(next, reason);
  }

  private canFollow(condition: RetryCondition): boolean {
    const untouched = !this.responding && this.partial === undefined;
    return (untouched || condition === "invalid_header") && this.attempts?.mayFollow(condition) === true;
  }

  private followWith(next: Endpoint | "full", reason: string): void {
    this.record(reason, 0);
    // Nobody takes what the client sends meanwhile.
    if (!this.bodySent) this.client.pauseBody();
    this.partial = undefined;
    this.dropUpstream();
    this.leaveEndpoint();
    this.goTo(next, false);
  }

  private noteFailure(): void {
    if (this.endpoint !== undefined) this.decision.backend?.failed(this.endpoint, this.context.deadlines.now);
  }

  private send(upstream: Connection, reused: boolean, parsed: boolean): void {
    const { context, request, early, attempts } = this;
    const { writer, requestHead } = context;
    if (attempts !== undefined) attempts.wasSent = true;
    this.upstream = upstream;
    this.reused = reused;
    this.reusable = false;
    upstream.handler = this;
    if (!parsed) {
      parseRequestHead(request.bytes, request.headStart, request.headEnd, requestHead);
      locatePath(request.bytes, requestHead);
    }
    writer.reset();
    composeRequest(writer, request, requestHead, this.decision.rewritten, this.requestFields);
    if (early.end > early.start) writer.copy(request.bytes, early.start, early.end);
    if (early.cut && early.last) writer.bytes(crlf);
    attempts?.body?.writeTo(writer);
    // Asking for the time costs: what goes out at once has begun just now.
    this.books.sentAt = parsed && reused ? this.books.begunAt : context.clock.monotonic();
    const result = upstream.write(writer.view());
    if (result === lent) writer.renew();
    if (this.bodySent) {
      this.wait("read");
      return;
    }
    if (request.expectsContinue && !this.hasContinued) this.client.sendContinue();
    this.hasContinued = true;
    if (result === lent) this.wait("send");
    else {
      this.wait("client");
      this.client.resumeBody();
    }
  }

  /** More of the request's body. The client is paused whenever this cannot take it. */
  requestBody(bytes: Buffer, start: number, end: number, last: boolean, cut: boolean): void {
    const { upstream } = this;
    if (upstream === undefined || this.ended) return;
    this.bodySent = last;
    this.count(counter.bytesIn, end - start);
    this.copyBody(bytes, start, end, { last, cut });
    this.attempts?.keep(bytes, start, end);
    if (last && cut) this.attempts?.keep(crlf, 0, crlf.length);
    let result: WriteResult = end > start ? upstream.write(bytes.subarray(start, end)) : sent;
    if (last && cut) result = upstream.write(crlf) === lent ? lent : result;
    if (result === lent) {
      this.client.pauseBody();
      this.wait("send");
    } else this.wait(last ? "read" : "client");
  }

  private copyBody(bytes: Buffer, start: number, end: number, part: { last: boolean; cut: boolean }): void {
    this.decision.live?.copy?.add(bytes, start, end, part);
  }

  /** The client's body broke a rule or a limit on its way. */
  refuseBody(status: number, reason: string): void {
    this.fail(status, reason);
  }

  // What the endpoint sends.

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.tunnel) this.tunnelFromEndpoint(bytes, start, end);
    else if (this.responding) this.responseBody(bytes, start, end);
    else this.responseHead(bytes, start, end);
  }

  private responseHead(chunk: Buffer, chunkStart: number, chunkEnd: number): void {
    let bytes = chunk;
    let start = chunkStart;
    let end = chunkEnd;
    if (this.partial !== undefined) {
      const held = this.partial;
      bytes = Buffer.allocUnsafeSlow(headroom + held.length + end - start);
      held.copy(bytes, headroom);
      chunk.copy(bytes, headroom + held.length, start, end);
      end = bytes.length;
      start = headroom;
      this.partial = undefined;
    }
    const { responseHead: head } = this.context;
    for (;;) {
      const at = parseResponseHead(bytes, start, end, head);
      if (at === 0 && end - start < maxResponseHeadBytes) {
        this.partial = Buffer.from(bytes.subarray(start, end));
        this.wait("read");
        return;
      }
      const framing = at > 0 ? responseFraming(bytes, head, this.request.toHead) : at;
      if (framing < 0) {
        this.giveUpOn("invalid_header", `bad response: ${problemOf(framing).message}`, 502);
        return;
      }
      if (head.status === 101) {
        this.switchProtocols(bytes, at, end);
        return;
      }
      if (head.status >= 200) {
        if (!this.goesElsewhere(head.status)) this.beginResponse(bytes, at, end, framing);
        return;
      }
      // 100 was said by us if the client waits for it; 103 is for caches in front.
      start = at;
      if (start === end) return;
    }
  }

  /** An answer that the route does not want, while it may have another one. */
  private goesElsewhere(status: number): boolean {
    const { attempts } = this;
    const next = attempts?.mayFollowAnswer(status) === true ? attempts.next(true) : undefined;
    if (next === undefined || next === "full") return false;
    if (isGatewayError(status)) this.noteFailure();
    this.followWith(next, `answered ${status}`);
    return true;
  }

  private beginResponse(bytes: Buffer, headEnd: number, end: number, framing: number): void {
    const { responseHead: head } = this.context;
    this.responding = true;
    this.books.answered(head.status);
    if (isGatewayError(head.status)) this.noteFailure();
    else if (this.endpoint !== undefined) this.decision.backend?.succeeded(this.endpoint);
    this.measure();
    this.body.begin(framing);
    this.reusable = framing !== untilClose && (head.minor === 1 ? !head.close : head.keepAlive);
    this.count(classOf(head.status), 1);
    const mayCompress = this.decision.route?.filters.compression !== undefined;
    const response = mayCompress ? { bytes, head, framing } : undefined;
    const plan = response === undefined ? undefined : planFor(this.decision, this.request, response, this.body);
    const bodyEnd = this.body.feed(bytes, headEnd, end);
    if (bodyEnd < 0) {
      this.responding = false;
      this.fail(502, `bad response: ${problemOf(bodyEnd).message}`);
      return;
    }
    const compressor = plan === undefined || response === undefined ? undefined : this.compressorFor(plan, response);
    const edits = this.responseFields(head.status);
    if (compressor !== undefined) {
      const result = this.client.sendHead({ bytes, headEnd, head, framing: untilClose, edits }, headEnd);
      if (result === lent) this.upstream?.keepReadBuffer();
      this.compress(compressor, bytes, headEnd, bodyEnd, end > bodyEnd);
      return;
    }
    this.books.isPrompt = true;
    const result = this.client.sendHead({ bytes, headEnd, head, framing, edits }, bodyEnd);
    this.afterResponseBytes(result, end > bodyEnd);
    this.books.isPrompt = false;
  }

  private compressorFor(plan: Plan, response: ReadResponse): Compressor | undefined {
    const { live } = this.decision;
    const { treatment } = plan;
    if (live === undefined) return undefined;
    editFields(treatment, live, response);
    if (typeof treatment === "string") return undefined;
    this.compressor = new Compressor(treatment, plan, {
      send: (bytes) => {
        this.wait(this.body.done ? "client" : "read");
        return this.client.sendBody(bytes, 0, bytes.length);
      },
      drained: () => this.upstream?.resume(),
      ended: () => this.complete(),
      failed: () => this.fail(502, "the response could not be compressed"),
    });
    return this.compressor;
  }

  private compress(compressor: Compressor, bytes: Buffer, start: number, end: number, excess: boolean): void {
    const hasRoom = compressor.write(bytes, start, end);
    if (excess) this.reusable = false;
    if (this.body.done) {
      compressor.end();
      this.wait("client");
    } else if (hasRoom) this.wait("read");
    else {
      this.upstream?.pause();
      this.wait("client");
    }
  }

  private measure(): void {
    const { backend } = this.decision;
    if (backend?.isMeasured !== true || this.endpoint === undefined) return;
    backend.measure(this.endpoint, this.books.answeredAt - this.books.sentAt, this.context.deadlines.now);
  }

  private responseBody(bytes: Buffer, start: number, end: number): void {
    if (this.body.done) {
      // More than the response, while what was compressed of it is still on its way.
      this.reusable = false;
      return;
    }
    const bodyEnd = this.body.feed(bytes, start, end);
    if (bodyEnd < 0) {
      this.fail(502, `bad response: ${problemOf(bodyEnd).message}`);
      return;
    }
    if (this.compressor === undefined)
      this.afterResponseBytes(this.client.sendBody(bytes, start, bodyEnd), end > bodyEnd);
    else this.compress(this.compressor, bytes, start, bodyEnd, end > bodyEnd);
  }

  private afterResponseBytes(result: WriteResult, excess: boolean): void {
    if (this.ended) return;
    if (this.body.done) {
      if (excess) this.reusable = false;
      if (result === lent) this.upstream?.keepReadBuffer();
      this.complete();
      return;
    }
    if (result === lent) {
      this.upstream?.pause();
      this.wait("client");
    } else this.wait("read");
  }

  private complete(): void {
    const { upstream, endpoint, context } = this;
    const keep = this.reusable && this.bodySent && upstream?.closed === false && !upstream.blocked;
    this.upstream = undefined;
    this.end();
    this.count(counter.bytesOut, this.body.bytes);
    if (upstream !== undefined) {
      if (keep && endpoint !== undefined)
        endpoint.give(upstream, context.deadlines.now + context.limits.upstreamIdleMs);
      else closeConnection(upstream);
    }
    this.client.finish();
  }

  onEnd(): void {
    if (this.tunnel) {
      this.closeTunnel();
      return;
    }
    if (this.responding && (this.body.untilClose || this.body.done)) {
      const isNews = !this.body.done;
      this.body.done = true;
      this.reusable = false;
      if (this.compressor === undefined) this.complete();
      else if (isNews) this.compressor.end();
      return;
    }
    this.lost("closed by the endpoint");
  }

  onDrain(): void {
    if (this.ended) return;
    if (this.tunnel) {
      this.client.resumeBody();
      return;
    }
    if (this.bodySent) this.wait("read");
    else {
      this.wait("client");
      this.client.resumeBody();
    }
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    if (this.ended) return;
    if (this.tunnel) this.closeTunnel();
    else if (this.compressor !== undefined && this.body.done) this.reusable = false;
    else this.lost(error === undefined ? "closed by the endpoint" : wordOf(error));
  }

  /** The endpoint's connection is gone before the response was whole. */
  private lost(reason: string): void {
    if (this.ended) return;
    const untouched = !this.responding && this.partial === undefined;
    if (untouched && this.reused && this.attempts?.isReplayable === true && this.endpoint !== undefined) {
      // The endpoint closed an idle connection just when the request went out; that is no failure of the endpoint.
      if (!this.bodySent) this.client.pauseBody();
      this.dropUpstream();
      this.count(counter.retries, 1);
      this.connect(this.endpoint, false);
      return;
    }
    if (this.responding) {
      this.fail(502, reason);
      return;
    }
    if (!this.reused) this.passOver();
    this.giveUpOn("error", reason, 502);
  }

  // Upgraded connections.

  private switchProtocols(bytes: Buffer, headEnd: number, end: number): void {
    const { responseHead: head } = this.context;
    if (!this.request.upgrade || head.upgradeField < 0) {
      this.fail(502, "switched protocols without being asked");
      return;
    }
    this.responding = true;
    this.books.answered(101);
    this.tunnel = true;
    this.count(counter.class1, 1);
    const result = this.client.sendHead({ bytes, headEnd, head, framing: 0, edits: undefined }, end);
    if (result === lent) this.upstream?.pause();
    this.wait("tunnel");
    this.client.switchProtocols();
  }

  private tunnelFromEndpoint(bytes: Buffer, start: number, end: number): void {
    this.count(counter.bytesOut, end - start);
    if (this.client.sendBody(bytes, start, end) === lent) this.upstream?.pause();
    this.wait("tunnel");
  }

  /** Bytes of an upgraded client. */
  tunnelFromClient(bytes: Buffer, start: number, end: number): void {
    if (this.upstream === undefined) return;
    this.count(counter.bytesIn, end - start);
    if (this.upstream.write(bytes.subarray(start, end)) === lent) this.client.pauseBody();
    this.wait("tunnel");
  }

  private closeTunnel(): void {
    const { upstream } = this;
    this.upstream = undefined;
    this.end();
    if (upstream !== undefined) closeConnection(upstream);
    this.client.finish();
  }

  // The client's side tells.

  clientDrained(): void {
    if (this.ended) return;
    if (this.compressor !== undefined) {
      this.compressor.resume();
      this.wait(this.body.done ? "client" : "read");
      return;
    }
    this.upstream?.resume();
    this.wait(this.tunnel ? "tunnel" : "read");
  }

  clientGone(): void {
    if (this.ended) return;
    if (!this.tunnel) this.books.status = clientClosed;
    this.end();
    this.connecting?.cancel();
    const { upstream } = this;
    this.upstream = undefined;
    if (upstream !== undefined) {
      // What a client of a tunnel said last still goes out.
      if (this.tunnel) {
        upstream.handler = silent;
        upstream.end();
      } else closeConnection(upstream);
    }
  }

  onDeadline(): void {
    switch (this.waiting) {
      case "connect":
        this.connecting?.cancel();
        this.connecting = undefined;
        this.passOver();
        this.giveUpOn("timeout", "connect timed out", 504);
        break;
      case "turn":
        this.overflow("no connection became free in time");
        break;
      case "read":
        if (this.responding) this.fail(504, "no answer in time");
        else this.giveUpOn("timeout", "no answer in time", 504);
        break;
      case "send":
        this.giveUpOn("timeout", "took no bytes in time", 504);
        break;
      case "client":
        this.fail(408, "the client sent or took no bytes in time");
        break;
      case "tunnel":
        this.closeTunnel();
        break;
      case "nothing":
    }
  }

  private wait(waiting: Waiting): void {
    if (this.ended) return;
    this.waiting = waiting;
    const timeouts = this.decision.route?.entry.timeouts;
    if (timeouts === undefined) return;
    const { limits } = this.context;
    const ms =
      waiting === "connect" || waiting === "turn"
        ? timeouts.connectMs
        : waiting === "send"
          ? timeouts.sendMs
          : waiting === "client"
            ? limits.clientIdleMs
            : timeouts.readMs;
    this.client.expectWithin(ms);
  }

  // Ends and books.

  private fail(status: number, reason: string): void {
    if (this.ended) return;
    const begun = this.responding;
    if (!begun) this.books.own = { status };
    if (reason !== "") this.record(reason, begun ? 0 : status);
    this.dropUpstream();
    this.connecting?.cancel();
    this.end();
    if (begun) {
      this.client.abort();
      return;
    }
    this.count(classOf(status), 1);
    this.client.answer({ status }, this.responseFields(status));
  }

  private dropUpstream(): void {
    const { upstream } = this;
    this.upstream = undefined;
    if (upstream !== undefined) closeConnection(upstream);
  }

  private end(): void {
    this.ended = true;
    this.waiting = "nothing";
    this.client.expectWithin(0);
    this.count(counter.open, -1);
    this.cancelGuard?.();
    this.cancelGuard = undefined;
    this.cancelTurn?.();
    this.cancelTurn = undefined;
    this.compressor?.destroy();
    this.leaveEndpoint();
    this.attempts?.end();
    this.decision.live?.end();
    this.books.close({
      bodyBytes: this.body.bytes,
      isTunnel: this.tunnel,
      tried: this.attempts?.tried ?? [],
    });
  }

  private leaveEndpoint(): void {
    const { endpoint } = this;
    this.endpoint = undefined;
    if (endpoint !== undefined) this.decision.backend?.leave(endpoint);
  }

  private count(position: number, amount: number): void {
    this.books.count(position, amount);
  }

  private record(reason: string, status: number): void {
    this.books.recordFailure(reason, status, this.endpoint);
  }
}

/** What an endpoint says that cannot serve, or whose own endpoints cannot. */
function isGatewayError(status: number): boolean {
  return status >= 502 && status <= 504;
}

/** Why a request had no further try although it might have. */
const overBudget = "; too many others are on a further try";

/** How old an idle connection may be for a request that cannot be sent twice. */
const freshMs = 2_000;

/** nginx's status for a client that left before it was answered; only the access log has it. */
const clientClosed = 499;
