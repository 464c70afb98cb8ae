import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkqueue } from "#base/workqueue.ts";
import { manualClock } from "../../fakes/clock.ts";

const ignore = () => {};

test("a key that is added many times before its turn is worked on once", async () => {
  const worked: string[] = [];
  const queue = createWorkqueue({ work: async (key) => void worked.push(key), failed: ignore });
  for (const key of ["a", "b", "a", "a"]) queue.add(key);
  await queue.idle();
  assert.deepEqual(worked, ["a", "b"]);
});

test("a key that is added while it is worked on gets one more turn, never two at a time", async () => {
  let running = 0;
  let most = 0;
  let turns = 0;
  const queue = createWorkqueue({
    concurrency: 4,
    failed: ignore,
    async work() {
      running += 1;
      turns += 1;
      most = Math.max(most, running);
      if (turns === 1) for (let i = 0; i < 3; i += 1) queue.add("a");
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    },
  });
  queue.add("a");
  await queue.idle();
  assert.deepEqual({ turns, most }, { turns: 2, most: 1 });
});

test("a turn that fails is told and tried again after a growing delay", async () => {
  const clock = manualClock();
  const delays: number[] = [];
  let turns = 0;
  const queue = createWorkqueue({
    clock,
    retryBaseMs: 10,
    failed: (_key, _error, ms) => delays.push(ms),
    async work() {
      turns += 1;
      if (turns < 4) throw new Error("not yet");
    },
  });
  queue.add("a");
  await queue.idle();
  for (let round = 0; round < 3; round += 1) {
    clock.advance(1000);
    await queue.idle();
  }
  assert.equal(turns, 4);
  assert.deepEqual(
    delays.map((ms, at) => ms > 5 * 2 ** at && ms <= 10 * 2 ** at),
    [true, true, true],
  );
});

test("a stopped queue takes no more keys and waits for the running turn", async () => {
  let ended = false;
  const queue = createWorkqueue({
    failed: ignore,
    async work() {
      await new Promise((resolve) => setImmediate(resolve));
      ended = true;
    },
  });
  queue.add("a");
  await new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
  await queue.stop();
  assert.equal(ended, true);
  queue.add("b");
  await queue.idle();
});
