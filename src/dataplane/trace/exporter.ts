import { request } from "node:http";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { renderOtlp } from "./render-otlp.ts";
import type { Span } from "./span.ts";

/** Where spans go. Names and defaults as ingress-nginx's `otel-…` and `otlp-…` options have them, but for the port. */
export interface ExportOptions {
  readonly host: string;
  /** Of OTLP over HTTP. */
  readonly port: number;
  readonly serviceName: string;
  /** Spans that may wait; further ones are dropped. */
  readonly maxQueueSize: number;
  readonly scheduleDelayMs: number;
  readonly maxBatchSize: number;
}

export const defaultExport: Omit<ExportOptions, "host"> = {
  port: 4318,
  serviceName: "nginx",
  maxQueueSize: 2048,
  scheduleDelayMs: 5000,
  maxBatchSize: 512,
};

export interface SpanExporter {
  add(spans: readonly Span[], droppedBefore: number): void;
  /** Sends what waits, and nothing more. */
  stop(): Promise<void>;
}

const answerMs = 10_000;
const complainMs = 60_000;

/** Sends spans in batches to an OpenTelemetry collector. One that does not answer costs its spans, and never memory. */
export function startExporter(
  options: ExportOptions,
  { clock, log, version }: { readonly clock: Clock; readonly log: Log; readonly version: string },
): SpanExporter {
  const { host, port, serviceName, maxQueueSize, scheduleDelayMs, maxBatchSize } = options;
  let queue: Span[] = [];
  let lost = 0;
  let reason = "";
  let complainedAt = -Infinity;
  let cancel: (() => void) | undefined;
  let sending: Promise<void> | undefined;
  let isStopped = false;

  function lose(count: number, why: string): void {
    if (count === 0) return;
    lost += count;
    reason = why;
    if (clock.monotonic() - complainedAt < complainMs) return;
    complainedAt = clock.monotonic();
    log.warn({ spans: lost, collector: `${host}:${port}`, reason }, "spans were lost on their way to the collector");
    lost = 0;
  }

  function schedule(): void {
    if (queue.length >= maxBatchSize) void send();
    else if (!isStopped) cancel ??= clock.after(scheduleDelayMs, () => void send());
  }

  /** All that waits, batch by batch. */
  function send(): Promise<void> {
    cancel?.();
    cancel = undefined;
    sending ??= sendAll().finally(() => {
      sending = undefined;
      if (queue.length > 0) schedule();
    });
    return sending;
  }

  async function sendAll(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, maxBatchSize);
      queue = queue.slice(maxBatchSize);
      const problem = await post({ host, port, body: renderOtlp(batch, serviceName, version) });
      if (problem === undefined) continue;
      lose(batch.length, problem);
      return;
    }
  }

  return {
    add(spans, droppedBefore) {
      lose(droppedBefore, "too many in a second");
      const room = Math.max(0, maxQueueSize - queue.length);
      queue.push(...spans.slice(0, room));
      lose(Math.max(0, spans.length - room), "the collector does not keep up");
      schedule();
    },
    async stop() {
      isStopped = true;
      await send();
      cancel?.();
    },
  };
}

/** Resolves with what went wrong, or nothing. */
function post({ host, port, body }: { host: string; port: number; body: string }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request(
      {
        host,
        port,
        method: "POST",
        path: "/v1/traces",
        headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) },
        signal: AbortSignal.timeout(answerMs),
        agent: false,
      },
      (response) => {
        response.resume();
        response.on("error", () => {});
        const { statusCode = 0 } = response;
        resolve(statusCode >= 200 && statusCode < 300 ? undefined : `it answered ${statusCode}`);
      },
    );
    asked.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end(body);
  });
}
