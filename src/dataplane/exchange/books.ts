import type { ServeContext } from "../context.ts";
import { counter } from "../counters.ts";
import { histogram, observe } from "../observe/histograms.ts";
import { observeRequest } from "../observe/request.ts";
import { answerBytes, type Answer } from "../page.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import { book, recordFailure } from "./booking.ts";
import type { ClientRequest } from "./request.ts";
import type { Decision } from "./route-request.ts";
import { describeServed } from "./served.ts";

/** What only the exchange knows when it is over. */
export interface Closing {
  /** Content of the answer's body. */
  readonly bodyBytes: number;
  readonly isTunnel: boolean;
  readonly tried: readonly Endpoint[];
}

/** What is counted and written down of one request: counters, histograms, failures, the access log, the trace. */
export class Books {
  decision: Decision = {};
  /** What the client was told, and by whom: `own` is an answer of the proxy itself. */
  status = 0;
  upstreamStatus = 0;
  own: Answer | undefined;
  /** When it came, went to an endpoint, and was answered there; in the clock's monotonic time. */
  readonly begunAt: number;
  sentAt = 0;
  answeredAt = 0;
  /** The answer's head came just now, maybe with all of its body. */
  isPrompt = false;
  private connectMs = -1;
  private bytesIn = 0;
  private bytesOut = 0;
  private readonly context: ServeContext;
  private readonly request: ClientRequest;

  constructor(context: ServeContext, request: ClientRequest) {
    this.context = context;
    this.request = request;
    this.begunAt = context.clock.monotonic();
  }

  /** An endpoint has begun to answer. */
  answered(status: number): void {
    this.status = status;
    this.upstreamStatus = status;
    this.answeredAt = this.context.clock.monotonic();
  }

  count(position: number, amount: number): void {
    if (position === counter.bytesIn) this.bytesIn += amount;
    if (position === counter.bytesOut) this.bytesOut += amount;
    book(this.context, this.decision, position, amount);
  }

  recordFailure(reason: string, status: number, endpoint: Endpoint | undefined): void {
    recordFailure(this.context, this.request, this.decision, { reason, status, endpoint: endpoint?.name });
  }

  observeConnect(ms: number, endpoint: Endpoint | undefined): void {
    this.connectMs = ms;
    for (const slot of [this.decision.backend?.slot, endpoint?.slot])
      if (slot !== undefined) observe(slot.page, slot.offset, histogram.connectSeconds, ms / 1000);
  }

  /** The request is over: what is observed of it, and who is told. */
  close(closing: Closing): void {
    const { accessLog, sample, deadlines, clock, tools } = this.context;
    const { route, live } = this.decision;
    const endedAt = this.isPrompt ? this.answeredAt : clock.monotonic();
    this.observe(closing, endedAt);
    const isLogged = accessLog !== undefined && route?.filters.isQuiet !== true;
    const isSampled = sample.wants(deadlines.now);
    const trace = live?.trace;
    if (!isLogged && !isSampled && trace?.isSampled !== true) return;
    const outcome = {
      at: clock.now(),
      ms: endedAt - this.begunAt,
      status: this.own?.status ?? this.status,
      bytesSent: this.sentBytes(closing),
      bodyBytes: this.bytesIn,
      tried: closing.tried,
      upstreamStatus: this.upstreamStatus,
      upstreamMs: this.sentAt === 0 ? 0 : endedAt - this.sentAt,
    };
    const served = describeServed(this.request, this.decision, outcome, this.context.logHead);
    if (trace?.isSampled === true) tools.tracer?.add({ ...trace, served });
    if (isLogged) accessLog.add(served);
    if (isSampled) sample.add(served);
  }

  private observe(closing: Closing, endedAt: number): void {
    const { request, decision, bytesIn } = this;
    const { bodyBytes, isTunnel, tried } = closing;
    observeRequest(
      { total: this.context.total, route: decision.route, backend: decision.backend },
      {
        method: request.method,
        status: this.own?.status ?? this.status,
        upstreamStatus: this.upstreamStatus,
        begunAt: this.begunAt,
        sentAt: this.sentAt,
        answeredAt: this.answeredAt,
        endedAt,
        connectMs: this.connectMs,
        requestBytes: request.headEnd - request.headStart + bytesIn,
        bytesIn,
        bytesOut: isTunnel ? this.bytesOut : bodyBytes,
        sentBytes: isTunnel ? this.bytesOut : this.sentBytes(closing),
        tried,
      },
    );
  }

  private sentBytes({ bodyBytes }: Closing): number {
    const { own } = this;
    return own === undefined ? bodyBytes : this.request.toHead ? 0 : answerBytes(own);
  }
}
