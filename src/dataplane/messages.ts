import type { FailureRecord } from "./failures.ts";
import type { Limits } from "./limits.ts";
import type { AccessLogOptions } from "./log/access-log.ts";
import type { Served } from "./log/served.ts";
import type { MeterMemory } from "./meter/memory.ts";
import type { DataplaneOptions, ListenerSpec } from "./running.ts";
import type { TlsSettings } from "./tls/settings.ts";
import type { Sampling, Span } from "./trace/span.ts";
import type { NumberedChange } from "./whole-table.ts";

/** What a worker is started with. */
export interface WorkerData {
  readonly listeners: readonly ListenerSpec[];
  readonly worker: number;
  readonly limits: Limits;
  readonly trustedProxies: readonly string[];
  readonly nameServers: readonly string[];
  readonly proxyProtocol: NonNullable<DataplaneOptions["proxyProtocol"]>;
  readonly tls: TlsSettings;
  readonly http2: boolean;
  readonly transport: DataplaneOptions["transport"];
  readonly ticketKeys: Uint8Array;
  readonly meter: MeterMemory;
  readonly accessLog: AccessLogOptions | undefined;
  readonly sampling: Sampling | undefined;
  readonly pages: readonly Float64Array<SharedArrayBuffer>[];
  readonly blocks: Float64Array<SharedArrayBuffer>;
  /** The table that it serves from its first connection on. */
  readonly first: NumberedChange;
}

/** What a worker remembers of its requests, oldest first. */
export interface Seen {
  readonly failures: readonly FailureRecord[];
  readonly sample: readonly Served[];
}

/** From the parent; each is answered by `done` with its `id`. */
export type ToWorker =
  | {
      readonly type: "apply";
      readonly id: number;
      readonly numbered: NumberedChange;
      readonly pages: readonly Float64Array<SharedArrayBuffer>[];
    }
  | { readonly type: "look"; readonly id: number }
  | { readonly type: "stop"; readonly id: number; readonly drainMs: number };

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "refused"; readonly listener: ListenerSpec; readonly code: string }
  | { readonly type: "done"; readonly id: number; readonly seen?: Seen }
  | { readonly type: "spans"; readonly spans: readonly Span[]; readonly dropped: number }
  | LogMessage;

/** A line for the log of the process above. */
export interface LogMessage {
  readonly type: "log";
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}
