import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasErrors } from "#api/config/problem.ts";
import { readConfigFile } from "../../../src/dns/config/read.ts";
import { settingsProblems } from "../../../src/dns/check.ts";

const words =
  '. .:53 { } \n # " \\ kubernetes cluster.local forward cache hosts rewrite name regex log errors import (a) a 192.0.2.1 ' +
  "-1 999999999999 30 5s ::1 [::1]:53 /etc/hosts ttl pods verified success prefetch answer auto {$X} , \t";
const corefile = fc.array(fc.oneof(fc.constantFrom(...words.split(" "), "\n"), fc.string({ maxLength: 8 })), {
  maxLength: 60,
});
const keys =
  "ttlSeconds forward zone to cache hosts entries address names rewrite match from workers listen http limits prefetch";
const yaml = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...keys.split(" ").map((key) => `${key}: `),
      "\n",
      "  ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      "1",
      "x",
      "&a ",
      "*a",
      "!!binary ",
      "<<: ",
    ),
    fc.string({ maxLength: 8 }),
  ),
  { maxLength: 60 },
);

for (const [name, text] of [
  ["Corefile", corefile.map((parts) => parts.join(" "))],
  ["dns.yml", yaml.map((parts) => parts.join(""))],
] as const) {
  test(`any text as ${name} gives settings that can be used, or problems with lines of the text`, () => {
    fc.assert(
      fc.property(text, (source) => {
        const { settings, problems } = readConfigFile(name, (path) => {
          if (path === name) return source;
          throw Object.assign(new Error("absent"), { code: "ENOENT" });
        });
        if (!hasErrors(problems)) assert.deepEqual(settingsProblems(settings), []);
        const lines = source.split("\n").length;
        for (const { line } of problems) assert.ok(line >= 1 && line <= lines, `${line} of ${lines}`);
        structuredClone(settings);
      }),
      { numRuns: 300 },
    );
  });
}

test("imports that lead to each other end", () => {
  const snippets = Array.from({ length: 30 }, (_, n) => `(s${n}) {\n${`import s${(n + 1) % 30}\n`.repeat(20)}}\n`);
  const { problems } = readConfigFile("Corefile", () => `${snippets.join("")}. {\nimport s0\n}\n`);
  assert.ok(problems.some(({ text }) => /imports lead too deep/.test(text)));
});
