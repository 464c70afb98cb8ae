import { addTo, type CounterSlot } from "../counters.ts";
import { classOf } from "../exchange/booking.ts";
import type { StreamContext } from "./context.ts";
import type { StreamEndpoint } from "./endpoints.ts";

/** What connections and sessions count for, and what their failures are told of. */
export interface StreamPlace {
  /** Of the stream. */
  readonly id: string;
  /** What is counted, by the statuses that nginx gives to streams (`$status`). */
  readonly slot: CounterSlot;
}

/** Counts how a connection or session went: 200, 400 without its PROXY header, 502 or 503 without an endpoint. */
export function countStatus(slot: CounterSlot, status: 200 | 400 | 502 | 503): void {
  addTo(slot, classOf(status), 1);
}

export interface StreamFailure {
  readonly backend: string;
  readonly endpoint?: StreamEndpoint;
  readonly reason: string;
  /** 0 when another endpoint was tried instead. */
  readonly status: number;
}

/** Remembers why a connection or session went nowhere, or not where it should have. */
export function recordStreamFailure(context: StreamContext, id: string, failure: StreamFailure): void {
  const { endpoint, ...rest } = failure;
  const method = id.startsWith("udp:") ? "UDP" : "TCP";
  const at = { at: context.clock.now(), host: "", method, path: "", route: id };
  context.failures.add({ ...at, ...rest, ...(endpoint === undefined ? {} : { endpoint: endpoint.name }) });
}
