import assert from "node:assert/strict";
import { test } from "node:test";
import { startEcho, startEntry } from "./entry.ts";

test("source ranges let curl in or answer 403", async (t) => {
  const endpoint = await startEcho(t);
  const open = await startEntry(t, [endpoint], { annotations: { "whitelist-source-range": "127.0.0.0/8" } });
  assert.equal((await open.curl("/")).status, 200);
  const closed = await startEntry(t, [endpoint], { annotations: { "denylist-source-range": "127.0.0.1" } });
  const { status, body } = await closed.curl("/", "-H", "X-Forwarded-For: 10.0.0.1");
  assert.equal(status, 403);
  assert.match(body, /403 Forbidden/);
});
