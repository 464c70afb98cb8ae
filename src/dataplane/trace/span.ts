import type { Served } from "../log/served.ts";

/** What a request that is traced is called, from when its head was read. */
export interface Trace {
  readonly traceId: string;
  /** Our own; endpoints are told it as their parent. */
  readonly spanId: string;
  /** The client's, where it is believed. */
  readonly parentId: string | undefined;
  readonly isSampled: boolean;
  /** What the span is called. */
  readonly name: string;
}

/** A request that is over, as it goes to a collector. */
export interface Span extends Trace {
  readonly served: Served;
}

/** Which requests are told to the collector; the names and meanings are those of ingress-nginx's `otel-sampler`. */
export interface Sampling {
  readonly sampler: "AlwaysOn" | "AlwaysOff" | "TraceIdRatioBased";
  /** Of `TraceIdRatioBased`, from 0 to 1. */
  readonly ratio: number;
  /** Where a client is believed, what it decided holds. */
  readonly parentBased: boolean;
}
