import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "#dataplane/deadline.ts";
import { manualClock } from "../../fakes/clock.ts";

test("a deadline comes late by at most two ticks, and never early", () => {
  const clock = manualClock();
  const deadlines = new Deadlines(clock, 100, assert.ifError);
  const passed: number[] = [];
  const timed = (ms: number) => ({ deadline: deadlines.now + ms, onDeadline: () => passed.push(clock.monotonic()) });
  deadlines.add(timed(1));
  clock.advance(199);
  // Set 99 ms after the last tick, by a clock that still shows it.
  const late = timed(1000);
  const setAt = clock.monotonic();
  deadlines.add(late);
  clock.advance(3000);
  deadlines.stop();
  const after = (passed.at(-1) ?? 0) - setAt;
  assert.equal(passed.length, 2);
  assert.ok(after >= 1000 && after <= 1200, `${after} ms`);
});
