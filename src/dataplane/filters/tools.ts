import type { Clock } from "#base/clock.ts";
import type { Meter } from "../meter/meter.ts";
import type { PasswordChecks } from "../password/checks.ts";
import type { Tracer } from "../trace/tracer.ts";

/** What the filters of all routes of a worker share. */
export interface FilterTools {
  readonly clock: Clock;
  readonly meter: Meter;
  /** How many copies of requests are on their way. */
  readonly copies: { underWay: number };
  readonly passwords: PasswordChecks;
  /** Absent where spans go nowhere. */
  readonly tracer: Tracer | undefined;
}
