import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { upTools } from "#roles/packages.ts";
import { codesOf, readPage, root, rowsOf } from "./pages.ts";

type Names = Readonly<Record<string, string>>;

test("every dependency has its line with a reason, and no line is about one that is gone", () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  ) as { dependencies: Names; devDependencies: Names; optionalDependencies: Names };
  const all = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  // Types and plugins come with what they belong to.
  const known = all.filter((name) => !name.startsWith("@types/") && name !== "oxlint-tsgolint");
  const { text } = readPage("docs/decisions/dependencies.md");
  const documented = rowsOf(text).flatMap(([name = ""]) => codesOf(name));
  assert.deepEqual(documented.sort(), known.sort());
});

test("getting started names the packages that up installs", () => {
  const { text } = readPage("docs/guides/getting-started.md");
  const sentence = /is installed by `fairlead up`.*?\(([^)]*)\)/s.exec(text)?.[1] ?? "";
  assert.deepEqual(codesOf(sentence).sort(), upTools.map((tool) => tool.package).sort());
});
