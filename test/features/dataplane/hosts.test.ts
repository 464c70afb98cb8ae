import assert from "node:assert/strict";
import { test } from "node:test";
import { compileHost, findHost, hostName } from "#dataplane/route.ts";
import { createPage } from "#dataplane/counters.ts";
import type { PathMatch } from "#dataplane/table.ts";
import { host, route } from "./harness.ts";

const slot = { page: createPage(), offset: 0 };
const compiled = (name: string, matches: readonly PathMatch[]) =>
  compileHost(
    host(
      name,
      matches.map((match, at) => route(`${at}`, { match })),
    )[1],
    () => slot,
  );

test("a host is taken by its name, then by a wildcard of one label, then by *", () => {
  const hosts = new Map(["a.example", "*.example", "*"].map((name) => [name, compiled(name, [])]));
  const take = (field: string) => findHost(hosts, hostName(field))?.entry.name;
  assert.equal(take("A.Example:8080"), "a.example");
  assert.equal(take("a.example."), "a.example");
  assert.equal(take("b.example"), "*.example");
  assert.equal(take("c.b.example"), "*");
  assert.equal(take("example"), "*");
  assert.equal(take("[::1]:80"), "*");
  assert.equal(take(""), "*");
});

test("the first route in order takes the path, whatever its kind", () => {
  const all = compiled("*", [
    { type: "exact", path: "/a" },
    { type: "prefix", path: "/a/b" },
    { type: "characters", path: "/abc" },
    { type: "regex", source: "/x[0-9]+" },
    { type: "prefix", path: "/a" },
    { type: "regex", source: "(" },
    { type: "prefix", path: "/" },
    { type: "exact", path: "/never" },
  ]);
  for (const [path, id] of [
    ["/a", "0"],
    ["/a/", "4"],
    ["/a/b", "1"],
    ["/a/b/c", "1"],
    ["/a/bc", "4"],
    ["/abcd", "2"],
    ["/ab", "6"],
    ["/X12", "3"],
    ["/y/x1", "6"],
    ["/never", "6"],
  ] as const)
    assert.equal(all.routeOf(path)?.route.entry.id, id, path);
});
