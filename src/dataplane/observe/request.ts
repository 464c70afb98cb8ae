import { addTo, counter, type CounterSlot } from "../counters.ts";
import type { CompiledRoute } from "../route.ts";
import type { Backend } from "../pool/backend.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import { blockAt, countAnswer } from "./answers.ts";
import { histogram, histogramsAt, observe } from "./histograms.ts";

/** A request that is over. Times in milliseconds of a monotonic clock; 0 is never. */
export interface ObservedRequest {
  readonly method: string;
  /** What the client was told; 499 when it left before. */
  readonly status: number;
  /** What the last endpoint said; 0 for nothing. */
  readonly upstreamStatus: number;
  readonly begunAt: number;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly endedAt: number;
  /** How long the last new connection to an endpoint took; -1 for none. */
  readonly connectMs: number;
  readonly requestBytes: number;
  /** Of the bodies. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly sentBytes: number;
  readonly tried: readonly Endpoint[];
}

interface Places {
  readonly total: CounterSlot;
  readonly route: CompiledRoute | undefined;
  readonly backend: Backend | undefined;
}

/** Counts a request that is over at every hop it took: the whole, its route, its backend, and each endpoint tried. */
export function observeRequest({ total, route, backend }: Places, request: ObservedRequest): void {
  const { method, status } = request;
  countAnswer(total.page, total.offset, method, status);
  observe(total.page, total.offset, histogram.requestSeconds, (request.endedAt - request.begunAt) / 1000);
  if (route !== undefined) observeAll(route.slot, request);
  if (backend !== undefined) {
    const { page, offset } = backend.slot;
    countAnswer(page, offset, method, status);
    if (request.answeredAt > 0)
      observe(page, offset, histogram.responseSeconds, (request.endedAt - request.sentAt) / 1000);
  }
  const { tried } = request;
  for (let at = 0; at < tried.length; at += 1) {
    const endpoint = tried[at];
    // The slot of one that left may be another's by now.
    if (endpoint === undefined || endpoint.retired) continue;
    const { slot } = endpoint;
    addTo(slot, counter.requests, 1);
    if (at < tried.length - 1) addTo(slot, counter.failures, 1);
    else observeLast(slot, request);
  }
}

/** A route's histograms are told apart by the answer, as long as there is memory for it. */
function observeAll(slot: CounterSlot, request: ObservedRequest): void {
  const { blocks } = slot;
  let { page, offset } = slot;
  const at = countAnswer(page, offset, request.method, request.status);
  if (at > 0 && blocks !== undefined) {
    const known = page[at + blockAt] ?? 0;
    const block = known === 0 ? blocks.take(page, at + blockAt) : known;
    if (block > 0) {
      offset = blocks.startOf(block) - histogramsAt;
      ({ page } = blocks);
    }
  }
  if (request.connectMs >= 0) observe(page, offset, histogram.connectSeconds, request.connectMs / 1000);
  observe(page, offset, histogram.requestSeconds, (request.endedAt - request.begunAt) / 1000);
  observe(page, offset, histogram.requestBytes, request.requestBytes);
  observe(page, offset, histogram.sentBytes, request.sentBytes);
  observeEndpoint(page, offset, request);
}

/** What the endpoint's answer took, where there was one. */
function observeEndpoint(page: Float64Array, offset: number, request: ObservedRequest): void {
  const { sentAt, answeredAt } = request;
  if (answeredAt === 0) return;
  observe(page, offset, histogram.headerSeconds, (answeredAt - sentAt) / 1000);
  observe(page, offset, histogram.responseSeconds, (request.endedAt - sentAt) / 1000);
  observe(page, offset, histogram.responseBytes, request.bytesOut);
}

/** The endpoint that the request stayed with. */
function observeLast(slot: CounterSlot, request: ObservedRequest): void {
  const { upstreamStatus } = request;
  addTo(slot, counter.bytesIn, request.bytesIn);
  addTo(slot, counter.bytesOut, request.bytesOut);
  if (upstreamStatus === 0) {
    // A client that left is no fault of the endpoint's.
    if (request.status !== 499) addTo(slot, counter.failures, 1);
    return;
  }
  addTo(slot, counter.class1 + Math.floor(upstreamStatus / 100) - 1, 1);
  countAnswer(slot.page, slot.offset, request.method, upstreamStatus);
  observeEndpoint(slot.page, slot.offset, request);
}
