import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canBacktrackForever } from "#routing/l7/regex-risk.ts";

const harmless = [
  "/",
  "/app(/|$)(.*)",
  "/something(/|$)(.*)",
  "/api/v[0-9]+/(.*)",
  "/(?!admin)(.*)",
  "/(.+)/edit",
  "/([a-z-]+/)*index",
  "(/[^/]+)*",
  "/(foo|bar)*",
  "/(foo|fab)+",
  "/x{2,5}",
  "/([0-9]{1,3}\\.){3}[0-9]{1,3}",
  "/item/(\\d+)(?:/([\\w-]+))?",
  "/.well-known/acme-challenge",
  "/(a|b)+",
  "/a\\(b\\)+",
  "/[(a+)+]",
];

const harmful = [
  "/(a+)+$",
  "/(a*)*",
  "/(.*)*x",
  "/(.+)+",
  "/(\\w+\\s?)*$",
  "/([a-z]+)*",
  "/((a+)b?)*c",
  "/(a|a)*$",
  "/(a|aa)+$",
  "/(\\w|\\d)+$",
  "/(x+x+)+y",
  "/(?:[a-z]+-?)+$",
  "/(a+){2,}$",
  "/(([^/])+)*$",
  "/(.a+)*$",
];

for (const source of harmless) test(`harmless: ${source}`, () => assert.equal(canBacktrackForever(source), false));
for (const source of harmful) test(`harmful: ${source}`, () => assert.equal(canBacktrackForever(source), true));

const characters = Array.from("ab/(|)[]*+?{}1,\\.^$-");

test("any text is judged", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200, unit: fc.constantFrom(...characters) }), (source) => {
      assert.equal(typeof canBacktrackForever(source), "boolean");
    }),
    { numRuns: 1_000 },
  );
});
