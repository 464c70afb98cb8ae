import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePattern, longestWithin } from "#dataplane/pattern.ts";
import { ask, backend, change, echoEndpoint, host, route, startPlane } from "./harness.ts";

test("no path and no expression can stop a worker: the request is refused, others go on", async (t) => {
  const { plane, port } = await startPlane(t);
  const routes = [
    route("slow", { match: { type: "regex", source: "/p.*q.*r.*s.*t.*u.*v$" } }),
    route("nested", { match: { type: "regex", source: "/n(a|a)*$" } }),
    route("open", { match: { type: "regex", source: "/" } }),
  ];
  await plane.apply(change({ hosts: [host("*", routes)], backends: [backend("b", [await echoEndpoint(t)])] }));
  const statusOf = async (target: string) => (await ask(t, port, `GET ${target}`)).status;
  const begun = performance.now();
  assert.equal(await statusOf(`/${"pqrstu".repeat(80)}`), 500);
  assert.equal(await statusOf(`/n${"a".repeat(60)}b`), 500);
  assert.ok(performance.now() - begun < 2000, "the guard ended both comparisons");
  assert.equal(await statusOf("/pqrstuv"), 200);
  assert.equal(await statusOf(`/${"x".repeat(2000)}`), 200);
});

test("a guarded comparison gives what an unguarded one gives", () => {
  const pattern = compilePattern("^/A(/[^/]+)*/(.*)$");
  assert.deepEqual(Array.from(pattern?.exec("/a/b") ?? []), ["/a/b", undefined, "b"]);
  assert.deepEqual(Array.from(pattern?.exec("/a/first/second/third") ?? []), [
    "/a/first/second/third",
    "/second",
    "third",
  ]);
  assert.equal(pattern?.exec("/b/first/second/third"), undefined);
});

test("what common expressions do with common paths needs no guard", () => {
  for (const source of [
    "/old(/|$)(.*)",
    "/api/v[0-9]+/(.*)",
    "/(.*\\.php)",
    "/a/?(.*)",
    "/exact",
    "/(en|de|fr)/(.*)",
  ]) {
    assert.ok(longestWithin(source, 100_000) > 255, source);
  }
  assert.ok(longestWithin("/p.*q.*r.*s.*t.*u.*v$", 100_000) < 10);
});
