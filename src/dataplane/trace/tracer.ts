import type { Clock } from "#base/clock.ts";
import type { Sampling, Span } from "./span.ts";

/** Spans that a worker holds until they are passed on; further ones are dropped. */
const most = 2048;
const flushMs = 1000;

/** Gathers the spans of a worker and passes them on about once a second. Costs nothing while there are none. */
export class Tracer {
  private readonly sampling: Sampling;
  private readonly clock: Clock;
  private readonly pass: (spans: readonly Span[], dropped: number) => void;
  private spans: Span[] = [];
  private dropped = 0;
  private cancel: (() => void) | undefined;

  constructor(sampling: Sampling, clock: Clock, pass: (spans: readonly Span[], dropped: number) => void) {
    this.sampling = sampling;
    this.clock = clock;
    this.pass = pass;
  }

  /** Whether a trace is to be told; `parent` is what a client that is believed decided. */
  samples(traceId: string, parent: boolean | undefined): boolean {
    const { sampler, ratio, parentBased } = this.sampling;
    if (parentBased && parent !== undefined) return parent;
    if (sampler !== "TraceIdRatioBased") return sampler === "AlwaysOn";
    // The last 52 bits are a number that all who sample by the same ratio see alike.
    return parseInt(traceId.slice(-13), 16) / 2 ** 52 < ratio;
  }

  add(span: Span): void {
    if (this.spans.length >= most) this.dropped += 1;
    else this.spans.push(span);
    this.cancel ??= this.clock.after(flushMs, () => this.flush());
  }

  flush(): void {
    this.cancel?.();
    this.cancel = undefined;
    const { spans, dropped } = this;
    if (spans.length === 0) return;
    this.spans = [];
    this.dropped = 0;
    this.pass(spans, dropped);
  }
}
