import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, backend, change, echoEndpoint, host, route, startPlane } from "./harness.ts";

test("no spelling of a path passes by the rule for it", async (t) => {
  const { plane, port } = await startPlane(t);
  const routes = [
    route("admin", { match: { type: "prefix", path: "/admin" }, answer: 403 }),
    route("open", { match: { type: "prefix", path: "/" } }),
  ];
  await plane.apply(change({ hosts: [host("*", routes)], backends: [backend("b", [await echoEndpoint(t)])] }));
  const statusOf = async (target: string) => (await ask(t, port, `GET ${target}`)).status;
  for (const [target, status] of [
    ["/admin", 403],
    ["/admin/x", 403],
    ["//admin", 403],
    ["/%61dmin", 403],
    ["/open", 200],
    ["/administrator", 200],
    ["/a%2Fb", 200],
    // Two readings, two routes: refused.
    ["/open/../admin", 400],
    ["/open/%2e%2e/admin", 400],
    ["/open/..%2fadmin", 400],
    ["/open%2f..%2fadmin", 400],
    ["/admin/../open", 400],
    ["/admin/x%2f..%2f..%2fopen", 400],
    ["/open/..%5cadmin", 400],
    ["/x%2f..%2f..", 400],
    ["/%00", 400],
    // Two readings, one route.
    ["/open/./x", 200],
    ["/open/../open2", 200],
    ["/admin/./x", 403],
  ] as const)
    assert.equal(await statusOf(target), status, target);
  assert.match((await ask(t, port, "GET /a%2Fb//c/./d?e=%2e%2e")).body, /^GET \/a%2Fb\/\/c\/.\/d\?e=%2e%2e\n/);
});
