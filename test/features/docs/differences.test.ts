import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "#api/kinds.ts";
import { storeKeyOf } from "#apiserver/registry/keys.ts";
import { modes } from "#proxy/modes/index.ts";
import { codesOf, readPage, sectionOf } from "./pages.ts";

const page = readPage("docs/reference/differences.md");

test("the proxy modes of the references are those that are built", () => {
  const names = modes.map(({ name }) => name);
  assert.deepEqual(codesOf(/\*\*Proxy modes: .*?\*\*/.exec(page.text)?.[0] ?? ""), names);
  const cli = sectionOf(readPage("docs/reference/cli.md"), "fairlead up");
  assert.deepEqual(codesOf(/(?:`\S+`,? (?:and )?)+are built/.exec(cli)?.[0] ?? ""), names);
});

test("every kind has the keys in the store that the page names", () => {
  assert.ok(page.text.includes("`/registry/RESOURCE/NAMESPACE/NAME`"));
  for (const definition of kinds) {
    assert.equal(storeKeyOf(definition, "NAMESPACE/NAME"), `/registry/${definition.resource.plural}/NAMESPACE/NAME`);
  }
});

test("no kind that is said to be missing is served", () => {
  const list = /No (StatefulSet[^.]*?), and\s+none of their/.exec(page.text)?.[1] ?? "";
  const missing = list.split(/,\s+/);
  assert.ok(missing.length > 5);
  const served = new Set<string>(kinds.map(({ resource }) => resource.kind));
  assert.deepEqual(
    missing.filter((kind) => served.has(kind)),
    [],
  );
});
