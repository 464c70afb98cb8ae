import type { ServeContext } from "../context.ts";
import { counter } from "../counters.ts";
import { joinEdits } from "../filters/edits.ts";
import type { FieldEdits } from "../filters/filter.ts";
import { BodyReader } from "../http1/body.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import type { Connecting, Connection, ConnectionHandler } from "../transport/connection.ts";
import { endOfResponse, responseBody, responseHead } from "./answer.ts";
import { Attempts } from "./attempts.ts";
import { classOf } from "./booking.ts";
import { Books } from "./books.ts";
import type { Compressor } from "./compressor.ts";
import type { Downstream } from "./downstream.ts";
import { goTo, lost } from "./endpoint-try.ts";
import { closeConnection, silent, wordOf } from "./ending.ts";
import type { BodyPump } from "./gathered/body-pump.ts";
import { gather, gathersFirst, type Gathered } from "./gathered/gather.ts";
import { waitForGuard } from "./guard.ts";
import { copyBody, sendRequestBody, type EarlyBody } from "./request-body.ts";
import type { ClientRequest } from "./request.ts";
import { routeRequest, type Decision } from "./route-request.ts";
import { closeTunnel, tunnelFromClient, tunnelFromEndpoint } from "./tunnel.ts";
import { giveUpWaiting, timeToWait, type Waiting } from "./waiting.ts";

/**
 * One request on its way: choose route and endpoint, send the head, move the bodies both ways at the pace of the slower
 * side, and answer for every way in which an endpoint can fail. It is the handler of the endpoint's connection.
 *
 * Here are what it knows, its beginning and its ends. The functions beside it move it on: `endpoint-try.ts` to an
 * endpoint, `request-body.ts` and `answer.ts` the bytes both ways, `tunnel.ts` those of an upgraded connection,
 * `waiting.ts` when a deadline has passed. Nobody else writes its fields. (Functions and one object, since every object
 * more is paid by each request.)
 */
export class Exchange implements ConnectionHandler {
  readonly context: ServeContext;
  readonly client: Downstream;
  readonly request: ClientRequest;
  readonly early: EarlyBody;
  decision: Decision = {};
  endpoint: Endpoint | undefined;
  connecting: Connecting | undefined;
  upstream: Connection | undefined;
  attempts: Attempts | undefined;
  hasContinued = false;
  reused = false;
  readonly books: Books;
  compressor: Compressor | undefined;
  /** The request's body, where it is waited for. */
  gathered: Gathered | undefined;
  /** What moves it to the endpoint, until all of it is there. */
  pump: BodyPump | undefined;
  waiting: Waiting = "nothing";
  bodySent: boolean;
  partial: Buffer | undefined;
  responding = false;
  tunnel = false;
  ended = false;
  cancelGuard: (() => void) | undefined;
  cancelTurn: (() => void) | undefined;
  reusable = false;
  readonly body = new BodyReader();

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

  responseFields(status: number): FieldEdits | undefined {
    const { route, live } = this.decision;
    live?.respond(status);
    const ofRoute = this.request.encrypted ? route?.filters.secureResponseFields : route?.filters.responseFields;
    return live === undefined ? ofRoute : joinEdits(ofRoute, live.answered);
  }

  get requestFields(): FieldEdits | undefined {
    const { route, live } = this.decision;
    return live === undefined ? route?.filters.requestFields : joinEdits(route?.filters.requestFields, live.requested);
  }

  get isOver(): boolean {
    return this.ended;
  }

  /** Whether the part of the body that came with the head may have to be sent, or sent again. */
  get needsEarlyBody(): boolean {
    if (this.gathered !== undefined) return false;
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

  decide(decision: Decision): void {
    this.decision = decision;
    this.books.decision = decision;
  }

  /** Answers, waits for a guard, or goes to an endpoint; `parsed` while the context holds the request's head. */
  proceed(parsed: boolean): void {
    const { decision } = this;
    if (decision.later !== undefined) {
      waitForGuard(this, decision, decision.later);
      return;
    }
    if (decision.answer !== undefined) {
      if (decision.reason !== undefined) this.record(decision.reason, decision.answer.status);
      this.books.own = decision.answer;
      this.count(classOf(decision.answer.status), 1);
      this.end();
      this.client.answer(decision.answer, this.responseFields(decision.answer.status));
      return;
    }
    const { backend } = decision;
    const refusal = backend?.refusal();
    if (refusal !== undefined) {
      this.overflow(refusal);
      return;
    }
    copyBody(this, this.request.bytes, this.early.start, this.early.end, this.early);
    if (gathersFirst(this)) gather(this);
    else this.goOut(parsed);
  }

  /** To an endpoint, with all of the body that is to be waited for. */
  goOut(parsed: boolean): void {
    const { decision } = this;
    const { backend } = decision;
    if (backend === undefined) return;
    this.attempts = new Attempts(this.context, this.request, decision, backend, this.gathered !== undefined);
    goTo(this, backend.hasQueue ? "full" : this.attempts.next(), parsed);
  }

  /** The backend's limits leave no room for it. */
  overflow(reason: string): void {
    this.count(counter.overflows, 1);
    this.fail(503, reason);
  }

  // What the client sends.

  /** More of the request's body. The client is paused whenever this cannot take it. */
  requestBody(bytes: Buffer, start: number, end: number, last: boolean, cut: boolean): void {
    if (!this.ended) sendRequestBody(this, bytes, start, end, { last, cut });
  }

  /** The client's body broke a rule or a limit on its way. */
  refuseBody(status: number, reason: string): void {
    this.fail(status, reason);
  }

  // What the endpoint sends.

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.tunnel) tunnelFromEndpoint(this, bytes, start, end);
    else if (this.responding) responseBody(this, bytes, start, end);
    else responseHead(this, bytes, start, end);
  }

  complete(): void {
    const { upstream, endpoint, context } = this;
    const keep =
      this.reusable && this.bodySent && this.pump === undefined && upstream?.closed === false && !upstream.blocked;
    this.upstream = undefined;
    this.count(counter.bytesOut, this.body.bytes);
    this.end();
    if (upstream !== undefined) {
      if (keep && endpoint !== undefined)
        endpoint.give(upstream, context.deadlines.now + context.limits.upstreamIdleMs);
      else closeConnection(upstream);
    }
    this.client.finish();
  }

  onEnd(): void {
    if (this.tunnel) closeTunnel(this);
    else if (!endOfResponse(this)) lost(this, "closed by the endpoint");
  }

  onDrain(): void {
    if (this.ended) return;
    if (this.tunnel) {
      this.client.resumeBody();
      return;
    }
    if (this.pump !== undefined) this.pump.next();
    else if (this.bodySent) this.wait("read");
    else {
      this.wait("client");
      this.client.resumeBody();
    }
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    if (this.ended) return;
    if (this.tunnel) closeTunnel(this);
    else if (this.compressor !== undefined && this.body.done) this.reusable = false;
    else lost(this, error === undefined ? "closed by the endpoint" : wordOf(error));
  }

  /** Bytes of an upgraded client. */
  tunnelFromClient(bytes: Buffer, start: number, end: number): void {
    tunnelFromClient(this, bytes, start, end);
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
    giveUpWaiting(this);
  }

  /** Waits for what is named, for as long as the route allows. */
  wait(waiting: Waiting): void {
    if (this.ended) return;
    this.waiting = waiting;
    const timeouts = this.decision.route?.entry.timeouts;
    if (timeouts !== undefined) this.client.expectWithin(timeToWait(waiting, timeouts, this.context.limits));
  }

  // Ends and books.

  fail(status: number, reason: string): void {
    if (this.ended) return;
    const begun = this.responding;
    if (!begun) this.books.own = { status };
    if (reason !== "") this.record(reason, begun ? 0 : status);
    this.dropUpstream();
    this.connecting?.cancel();
    if (!begun) this.count(classOf(status), 1);
    this.end();
    if (begun) {
      this.client.abort();
      return;
    }
    this.client.answer({ status }, this.responseFields(status));
  }

  dropUpstream(): void {
    const { upstream } = this;
    this.upstream = undefined;
    this.pump?.cancel();
    this.pump = undefined;
    if (upstream !== undefined) closeConnection(upstream);
  }

  end(): void {
    this.ended = true;
    this.waiting = "nothing";
    this.client.expectWithin(0);
    this.cancelGuard?.();
    this.cancelGuard = undefined;
    this.cancelTurn?.();
    this.cancelTurn = undefined;
    this.compressor?.destroy();
    this.pump?.cancel();
    this.gathered?.body.release();
    this.leaveEndpoint();
    this.attempts?.end();
    this.decision.live?.end();
    this.books.close({
      bodyBytes: this.body.bytes,
      isTunnel: this.tunnel,
      tried: this.attempts?.tried ?? [],
    });
    // Last of all that is counted: the slots of what has left may be another's from now on.
    this.count(counter.open, -1);
  }

  leaveEndpoint(): void {
    const { endpoint } = this;
    this.endpoint = undefined;
    if (endpoint !== undefined) this.decision.backend?.leave(endpoint);
  }

  count(position: number, amount: number): void {
    this.books.count(position, amount);
  }

  record(reason: string, status: number): void {
    this.books.recordFailure(reason, status, this.endpoint);
  }
}

/** nginx's status for a client that left before it was answered; only the access log has it. */
const clientClosed = 499;
