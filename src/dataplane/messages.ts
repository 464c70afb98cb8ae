import type { FailureRecord } from "./failures.ts";
import type { Limits } from "./limits.ts";
import type { AccessLogOptions } from "./log/access-log.ts";
import type { MeterMemory } from "./meter/memory.ts";
import type { DataplaneOptions, ListenerSpec } from "./running.ts";
import type { NumberedChange } from "./whole-table.ts";

/** What a worker is started with. */
export interface WorkerData {
  readonly listeners: readonly ListenerSpec[];
  readonly worker: number;
  readonly limits: Limits;
  readonly trustedProxies: readonly string[];
  readonly nameServers: readonly string[];
  readonly http2: boolean;
  readonly transport: DataplaneOptions["transport"];
  readonly ticketKeys: Uint8Array;
  readonly meter: MeterMemory;
  readonly accessLog: AccessLogOptions | undefined;
  readonly pages: readonly Float64Array<SharedArrayBuffer>[];
}

/** From the parent; each is answered by `done` with its `id`. */
export type ToWorker =
  | {
      readonly type: "apply";
      readonly id: number;
      readonly numbered: NumberedChange;
      readonly pages: readonly Float64Array<SharedArrayBuffer>[];
    }
  | { readonly type: "failures"; readonly id: number }
  | { readonly type: "stop"; readonly id: number; readonly drainMs: number };

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "refused"; readonly listener: ListenerSpec; readonly code: string }
  | { readonly type: "done"; readonly id: number; readonly failures?: readonly FailureRecord[] }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly fields: Readonly<Record<string, unknown>>;
      readonly message: string;
    };
