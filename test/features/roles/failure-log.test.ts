import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog, type Log } from "#base/log.ts";
import type { FailureRecord } from "#dataplane/failures.ts";
import { startFailureLog } from "#roles/failure-log.ts";
import { manualClock } from "../../fakes/clock.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("each request that failed is written once, with the hops it took", async () => {
  const clock = manualClock();
  const lines: string[] = [];
  const log: Log = { ...silentLog, warn: (_fields, message) => lines.push(message) };
  const records: FailureRecord[] = [];
  const stop = startFailureLog({ failures: async () => records }, { log, clock });
  const fail = (reason: string) =>
    records.push({
      at: clock.now() + 1,
      host: "a",
      method: "GET",
      path: "/",
      route: "a/",
      backend: "dev/a:80",
      endpoint: "10.0.0.3:80",
      reason,
      status: 502,
    });
  fail("refused");
  clock.advance(2_000);
  await settled();
  clock.advance(2_000);
  await settled();
  fail("connect timed out");
  clock.advance(2_000);
  await settled();
  stop();
  assert.deepEqual(lines, [
    "route a/: backend dev/a:80: endpoint 10.0.0.3:80: refused",
    "route a/: backend dev/a:80: endpoint 10.0.0.3:80: connect timed out",
  ]);
  assert.equal(clock.pending(), 0);
});
