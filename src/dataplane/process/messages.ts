import type { CountersSnapshot } from "../counters.ts";
import type { FailureRecord } from "../failures.ts";
import type { Served } from "../log/served.ts";
import type { LogMessage } from "../messages.ts";
import type { DataplaneOptions, ListenerSpec } from "../running.ts";
import type { TableChange } from "../table.ts";
import type { Sampling, Span } from "../trace/span.ts";

/** Changed whenever a message changes: a process of another version is not taken into service. */
export const protocol = 1;

/** What a data plane's process is started with: options that can be sent. */
export interface ProcessOptions extends Pick<
  DataplaneOptions,
  "listeners" | "isBeside" | "limits" | "trustedProxies" | "proxyProtocol" | "tls" | "accessLog" | "nameServers"
> {
  readonly workers: number;
  readonly sampling?: Sampling;
  readonly table: TableChange;
}

/** What a data plane knows of what it served. */
export interface Look {
  readonly counters: CountersSnapshot;
  readonly failures: readonly FailureRecord[];
  readonly sample: readonly Served[];
}

/** From the process that holds the table. */
export type ToProcess =
  | { readonly type: "start"; readonly options: ProcessOptions }
  | { readonly type: "apply"; readonly id: number; readonly change: TableChange }
  | { readonly type: "look"; readonly id: number }
  | { readonly type: "stop"; readonly drainMs: number };

export type FromProcess =
  | { readonly type: "begun"; readonly protocol: number }
  | {
      readonly type: "listening";
      readonly addresses: readonly ListenerSpec[];
      readonly refused: ReadonlyMap<string, string>;
    }
  | { readonly type: "refused"; readonly listener: ListenerSpec; readonly code: string }
  | { readonly type: "applied"; readonly id: number; readonly refused: ReadonlyMap<string, string> }
  | { readonly type: "looked"; readonly id: number; readonly look: Look }
  | { readonly type: "spans"; readonly spans: readonly Span[]; readonly dropped: number }
  | LogMessage;
