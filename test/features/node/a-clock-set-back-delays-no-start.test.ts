import assert from "node:assert/strict";
import { test } from "node:test";
import { decide, restartDelay, type Standing } from "#node/pods/decide.ts";

const day = 86_400_000;
const crashed = (finishedAt: number): Standing => ({
  state: "exited",
  exitCode: 1,
  finishedAt,
  crashes: 4,
  started: false,
});
const at = (now: number, finishedAt: number) =>
  decide({ containers: [{ name: "main" }] }, () => crashed(finishedAt), now);

test("a container that keeps failing waits for its turn", () => {
  assert.deepEqual(at(5 * day, 5 * day).start, []);
  assert.equal(at(5 * day, 5 * day).wakeAt, 5 * day + restartDelay(4));
  assert.deepEqual(at(5 * day + restartDelay(4), 5 * day).start, ["main"]);
});

test("it does not wait for a clock that was set back to come round again", () => {
  assert.deepEqual(at(4 * day, 5 * day).start, ["main"]);
  assert.deepEqual(at(5 * day, 5 * day + 1).start, [], "a clock that is only read differently is no other clock");
});
