import type { LookupFunction } from "node:net";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Deadlines } from "../deadline.ts";
import type { FailureRing } from "../failures.ts";
import type { Limits } from "../limits.ts";
import type { Dialer } from "../transport/connection.ts";
import type { Handles } from "../transport/handles.ts";
import type { OnFault } from "../transport/public.ts";

/** What all streams of one worker share. */
export interface StreamContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Limits;
  readonly deadlines: Deadlines;
  readonly dialer: Dialer;
  /** Connections of clients go by these where they can; by sockets when absent. */
  readonly handles: Handles | undefined;
  /** The resolver of endpoints that are given by name. */
  readonly lookup: LookupFunction;
  readonly failures: FailureRing;
  readonly onFault: OnFault;
  /** Whether a peer at this address may say whom it speaks for. */
  readonly trustsProxy: (address: string) => boolean;
}
