import assert from "node:assert/strict";
import { test } from "node:test";
import { runSoak } from "./long/traffic.ts";

// The long form: `npm run soak`, twenty minutes.
test(
  "clients of the worst manners lose no byte of others, and leave nothing behind",
  { timeout: 240_000 },
  async (t) => {
    const { served, rssMegabytes, requests } = await runSoak(15, 16);
    t.diagnostic(`${requests} requests; memory ${rssMegabytes.join(" to ")} MB; ${JSON.stringify(served)}`);
    assert.ok(requests > 0);
  },
);
