import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { test } from "node:test";
import { exceptions, floorOf, floors } from "#floors.ts";

const source = resolve(import.meta.dirname, "../../src");
const importPattern = /(?:from|import)\s*\(?\s*["']([^"']+)["']/g;

function topFolder(path: string): string {
  const parts = relative(source, path).split(sep);
  return parts.length > 1 ? (parts[0] ?? "") : "";
}

function* importsOf(file: string): Generator<string> {
  for (const [, specifier] of readFileSync(file, "utf8").matchAll(importPattern)) {
    if (specifier?.startsWith("#")) yield join(source, specifier.slice(1));
    else if (specifier?.startsWith(".")) yield resolve(dirname(file), specifier);
  }
}

test("a folder imports itself and lower floors only", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const broken: string[] = [];
  for (const name of files) {
    const file = join(source, name);
    const from = topFolder(file);
    const fromFloor = floorOf(from);
    if (fromFloor === undefined) {
      if (from !== "") broken.push(`${name}: the folder ${from} stands on no floor of src/floors.ts`);
      continue;
    }
    for (const target of importsOf(file)) {
      const to = topFolder(target);
      if (target.endsWith("package.json") || to === from || to === "" || exceptions[from]?.includes(to)) continue;
      const toFloor = floorOf(to);
      if (toFloor === undefined || toFloor >= fromFloor) broken.push(`${name} imports ${relative(source, target)}`);
    }
  }
  assert.deepEqual(broken, []);
});

test("every folder of src stands on exactly one floor", () => {
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const placed = floors.flat();
  assert.equal(new Set(placed).size, placed.length);
  for (const folder of folders) assert.ok(placed.includes(folder.name), `${folder.name} is not in src/floors.ts`);
});
