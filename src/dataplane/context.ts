import { tmpdir } from "node:os";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { HeadTable } from "#wire/http1/head.ts";
import type { CounterSlot } from "./counters.ts";
import type { Deadlines } from "./deadline.ts";
import type { SpoolSpace } from "./exchange/gathered/spool.ts";
import type { KeptBytes } from "./exchange/kept-body.ts";
import type { FailureRing } from "./failures.ts";
import { HeadWriter } from "./http1/writer.ts";
import type { FilterTools } from "./filters/tools.ts";
import type { AccessLog } from "./log/access-log.ts";
import { RequestSample } from "./log/sample.ts";
import type { Limits } from "./limits.ts";
import type { LiveTable } from "./live-table.ts";
import type { Meter } from "./meter/meter.ts";
import { PasswordChecks } from "./password/checks.ts";
import type { Tracer } from "./trace/tracer.ts";
import type { Dialer } from "./transport/connection.ts";

/** What all connections of one worker share. */
export interface ServeContext {
  readonly clock: Clock;
  readonly log: Log;
  /** Told of a defect of ours that ends a connection. */
  readonly onFault: (error: unknown) => void;
  readonly limits: Limits;
  readonly deadlines: Deadlines;
  readonly dialer: Dialer;
  readonly table: LiveTable;
  readonly failures: FailureRing;
  readonly total: CounterSlot;
  /** Whether a client at this address may say whom it speaks for. */
  readonly trusts: (address: string) => boolean;
  /** The head that was parsed last; whoever needs an earlier one parses its bytes again. */
  readonly requestHead: HeadTable;
  readonly responseHead: HeadTable;
  /** For heads that are read for the access log. */
  readonly logHead: HeadTable;
  /** Absent when no requests are written down. */
  readonly accessLog: AccessLog | undefined;
  /** Some of the requests, for whoever looks at them live. */
  readonly sample: RequestSample;
  /** Where heads are put together. */
  readonly writer: HeadWriter;
  /** How much is kept of bodies that may be sent again. */
  readonly kept: KeptBytes;
  /** Where bodies go that are too long for memory. */
  readonly spool: SpoolSpace;
  /** What filters of all routes share. */
  readonly tools: FilterTools;
  /** Set when the worker is about to stop: every answer is the last of its connection. */
  draining: boolean;
}

export function createContext(
  parts: Omit<
    ServeContext,
    "requestHead" | "responseHead" | "logHead" | "writer" | "kept" | "spool" | "tools" | "sample" | "draining"
  > & {
    readonly meter: Meter;
    readonly tracer: Tracer | undefined;
  },
): ServeContext {
  return {
    ...parts,
    requestHead: new HeadTable(),
    responseHead: new HeadTable(),
    logHead: new HeadTable(),
    sample: new RequestSample(),
    writer: new HeadWriter(),
    kept: { bytes: 0 },
    spool: { directory: tmpdir(), bytes: 0 },
    tools: {
      clock: parts.clock,
      meter: parts.meter,
      copies: { underWay: 0 },
      passwords: new PasswordChecks(parts.clock),
      tracer: parts.tracer,
    },
    draining: false,
  };
}
