import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultOptions, knownOptions, readOptions } from "#ingress/options.ts";
import { readIngressConfig } from "#ingress/read-config.ts";
import { codesOf, readPage, rowsOf } from "./pages.ts";

const page = readPage("docs/reference/ingress-options.md");
const rows = rowsOf(page.text).map(([name = "", value = "", standard = ""]) => ({
  name: codesOf(name)[0] ?? "",
  value,
  standard: codesOf(standard)[0],
}));

test("every option stands in the reference, and no other", () => {
  assert.deepEqual(rows.map(({ name }) => name).sort(), [...knownOptions].sort());
});

test("the defaults of the reference are those of the program", () => {
  for (const { name, standard } of rows) {
    if (standard === undefined) continue;
    const { options, refused } = readOptions({ [name]: standard });
    assert.deepEqual(refused, [], name);
    assert.deepEqual({ ...defaultOptions, ...options }, defaultOptions, name);
  }
});

test("the words that a value may be are the ones of the reference", () => {
  for (const { name, value } of rows) {
    for (const word of codesOf(value)) assert.deepEqual(readOptions({ [name]: word }).refused, [], `${name}: ${word}`);
  }
});

test("the example of the reference can be used", () => {
  const example = /^```yaml\n([^]*?)^```$/m.exec(page.text)?.[1] ?? assert.fail("no example");
  const { options, errors, warnings } = readIngressConfig(example);
  assert.deepEqual({ errors, warnings }, { errors: [], warnings: [] });
  assert.deepEqual(options, { maxBodyBytes: 8 * 1024 * 1024, gzip: true, endpointConnections: 100 });
});
