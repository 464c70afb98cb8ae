import type { LogFields } from "#base/log.ts";
import type { ListenAddress, Upstream } from "./contract.ts";
import type { PackedDiff } from "./entry.ts";
import type { DnsCounters } from "./metrics.ts";
import type { ServerSettings } from "./server.ts";
import type { DnsSettings } from "./settings.ts";

/** What the worker is told, in order. Each `request` number is answered by one `ok` or `failed`. */
export type ToWorker = { readonly tell: "upstreams"; readonly upstreams: readonly Upstream[] } | WorkerRequest;

export type WorkerRequest =
  | { readonly tell: "diff"; readonly request: number; readonly diff: PackedDiff }
  /** Settings and the names that change by them are used from the same question on. */
  | { readonly tell: "configure"; readonly request: number; readonly settings: DnsSettings; readonly diff?: PackedDiff }
  | { readonly tell: "listen"; readonly request: number; readonly at: ListenAddress; readonly exclusive: boolean }
  | { readonly tell: "counters"; readonly request: number }
  | { readonly tell: "stop"; readonly request: number };

export type FromWorker =
  | { readonly tell: "applied"; readonly revision: string }
  | { readonly tell: "ok"; readonly request: number; readonly value?: ListenAddress | DnsCounters }
  | { readonly tell: "failed"; readonly request: number; readonly message: string; readonly code?: string }
  | {
      readonly tell: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly fields: LogFields;
      readonly message: string;
    };

export interface WorkerData {
  readonly settings: ServerSettings;
}
