import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Filter } from "#dataplane/table.ts";
import type { DataplaneOptions } from "#dataplane/workers.ts";
import { ask, echoEndpoint, simple, startPlane } from "./harness.ts";

async function guarded(t: TestContext, filters: readonly Filter[], options: Partial<DataplaneOptions> = {}) {
  const { plane, port } = await startPlane(t, options);
  const endpoint = await echoEndpoint(t);
  await plane.apply(simple([endpoint], { filters }));
  return { plane, port, endpoint };
}

const ranges = (allow: readonly string[], deny: readonly string[] = []): Filter[] => [
  { type: "source-ranges", allow, deny },
];

for (const { allow, deny, status } of [
  { allow: ["127.0.0.0/8"], deny: [], status: 200 },
  { allow: ["127.0.0.1"], deny: [], status: 200 },
  { allow: ["10.0.0.0/8", "2001:db8::/32"], deny: [], status: 403 },
  { allow: [], deny: ["127.0.0.1"], status: 403 },
  { allow: [], deny: ["10.0.0.0/8"], status: 200 },
  { allow: ["127.0.0.0/8"], deny: ["127.0.0.1"], status: 403 },
]) {
  test(`a client at 127.0.0.1 gets ${status} with allow [${allow.join()}] and deny [${deny.join()}]`, async (t) => {
    const { port } = await guarded(t, ranges(allow, deny));
    assert.equal((await ask(t, port, "GET /")).status, status);
  });
}

test("what a client says of its address is not believed, what a trusted proxy says is", async (t) => {
  const forged = ["X-Forwarded-For: 10.0.0.7"];
  const open = await guarded(t, ranges(["10.0.0.0/8"]));
  assert.equal((await ask(t, open.port, "GET /", forged)).status, 403);
  const behind = await guarded(t, ranges(["10.0.0.0/8"]), { trustedProxies: ["127.0.0.1"] });
  assert.equal((await ask(t, behind.port, "GET /", forged)).status, 200);
  assert.equal((await ask(t, behind.port, "GET /", ["X-Forwarded-For: 10.0.0.7, 192.0.2.1"])).status, 403);
});

test("a redirect and a missing endpoint are answered before anybody is refused", async (t) => {
  const denied = ranges(["10.0.0.0/8"]);
  const redirect: Filter = { type: "redirect", status: 301, location: "https://x.example/" };
  const { plane, port } = await guarded(t, [redirect, ...denied]);
  assert.equal((await ask(t, port, "GET /")).status, 301);
  await plane.apply(simple([], { filters: denied }));
  assert.equal((await ask(t, port, "GET /")).status, 503);
});
