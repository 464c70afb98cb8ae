import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { catalogue } from "#node/images/catalogue.ts";

test("every image of the catalogue stands in the reference, and no other", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/images.md"), "utf8");
  const cells = [...page.matchAll(/^\| (`.*?) \|/gm)].map((match) => match[1] ?? "");
  const documented = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
  const known = new Set(catalogue.flatMap(({ names }) => names));
  assert.deepEqual(
    documented.filter((name) => !known.has(name)),
    [],
  );
  for (const { names } of catalogue) assert.ok(documented.includes(names[0] ?? ""), `${names[0]} is not documented`);
});
