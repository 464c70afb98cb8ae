import assert from "node:assert/strict";
import { test } from "node:test";
import { parseYaml, parseYamlBody, YamlSyntaxError } from "#api/manifest/yaml.ts";
import { editDistance, nearest } from "#api/manifest/nearest.ts";

test("YAML is read as Kubernetes reads it: 1.1, without its times and dates", () => {
  const cases: [string, unknown][] = [
    ["y", true],
    ["on", true],
    ["no", false],
    ["010", 8],
    ["0o17", 15],
    ["-0o17", -15],
    ["1e3", 1000],
    ["1_000", 1000],
    ["0x1F", 31],
    ["12:30", "12:30"],
    ["12:30.5", "12:30.5"],
    ["2001-01-01", "2001-01-01"],
    ["~", null],
    ["{a: &x {b: 1}, c: {<<: *x, d: 2}}", { a: { b: 1 }, c: { b: 1, d: 2 } }],
    ["a: 1\n---\na: 2", { a: 1 }],
  ];
  for (const [text, value] of cases) assert.deepEqual(parseYaml(text), value, text);
});

test("a syntax error names its line", () => {
  assert.throws(
    () => parseYaml("a: 1\nb: [1\n"),
    (error) => error instanceof YamlSyntaxError && /^yaml: line \d/.test(error.message),
  );
});

test("a key that a map has twice is named with its line in the whole text; merged keys are no such keys", () => {
  const text = "# first\n---\na: 1\n'a': {b: 1, b: 2}\n";
  const duplicates = ['line 4: key "b" already set in map', 'line 4: key "a" already set in map'];
  assert.deepEqual(parseYamlBody(text), { value: { a: { b: 2 } }, duplicates: duplicates.toReversed() });
  assert.deepEqual(parseYamlBody("a: &a {x: 1}\nb: {<<: *a, x: 2}").duplicates, []);
  assert.throws(() => parseYaml(text), /^YamlSyntaxError: yaml: line 4: key "a" already set in map/);
});

test("the nearest name is the one a slip away", () => {
  assert.equal(editDistance("prots", "ports"), 1);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(nearest("targetport", ["targetPort", "port"]), "targetPort");
  assert.equal(nearest("prots", ["ports", "type"]), "ports");
  assert.equal(nearest("zzzz", ["ports", "type"]), undefined);
  assert.equal(nearest("x".repeat(1000), ["x".repeat(1000)]), undefined);
});
