import assert from "node:assert/strict";
import { test } from "node:test";
import { createMeterMemory, forgetWorker } from "#dataplane/meter/memory.ts";
import { Meter } from "#dataplane/meter/meter.ts";
import { manualClock } from "../../fakes/clock.ts";

const tenASecond = { intervalMs: 100, burst: 3 };

function passed(meter: Meter, key: string, times: number): number {
  return Array.from({ length: times }, () => meter.take(key, tenASecond)).filter(Boolean).length;
}

test("the burst and one more pass at once, then one an interval", () => {
  const clock = manualClock();
  const meter = new Meter(createMeterMemory(1, "x"), 0, clock);
  assert.equal(passed(meter, "ann", 20), 4);
  assert.equal(passed(meter, "ben", 20), 4);
  clock.advance(99);
  assert.equal(passed(meter, "ann", 20), 0);
  clock.advance(1);
  assert.equal(passed(meter, "ann", 20), 1);
  clock.advance(60_000);
  assert.equal(passed(meter, "ann", 20), 4);
});

test("a clock that is set back shuts nobody out", () => {
  const clock = manualClock();
  const memory = createMeterMemory(1, "x");
  clock.advance(3_600_000);
  assert.equal(passed(new Meter(memory, 0, clock), "ann", 20), 4);
  assert.ok(passed(new Meter(memory, 0, manualClock()), "ann", 20) > 0);
});

test("workers count together, and a worker that died counts no more", () => {
  const clock = manualClock();
  const memory = createMeterMemory(2, "x");
  const [one, two] = [new Meter(memory, 0, clock), new Meter(memory, 1, clock)];
  assert.equal(passed(one, "ann", 2) + passed(two, "ann", 20), 4);
  const leave = one.enter("ann", 2);
  assert.ok(leave !== undefined && two.enter("ann", 2) !== undefined);
  assert.equal(two.enter("ann", 2), undefined);
  leave();
  assert.notEqual(one.enter("ann", 2), undefined);
  assert.equal(one.enter("ann", 2), undefined);
  forgetWorker(memory, 1);
  assert.notEqual(one.enter("ann", 2), undefined);
});

test("more clients than there is room for: the memory stays, and who has requests under way keeps the place", () => {
  const clock = manualClock();
  const memory = createMeterMemory(1, "x");
  const meter = new Meter(memory, 0, clock);
  const leave = meter.enter("kept", 1);
  assert.ok(leave !== undefined);
  for (let client = 0; client < 300_000; client += 1) meter.take(`client ${client}`, tenASecond);
  assert.equal(meter.enter("kept", 1), undefined);
  leave();
  assert.notEqual(meter.enter("kept", 1), undefined);
});
