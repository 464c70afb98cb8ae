import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { readManifest } from "#api/manifest/read.ts";
import { kindByGvk } from "#api/kinds.ts";
import { readPages, root } from "./pages.ts";

const examples = globSync("examples/**/*.yaml", { cwd: root }).sort();
const readText = (path: string) => readFileSync(join(root, path), "utf8");

/** Written to be refused, by a rule about two fields that the reader of manifests cannot know. */
const refused = "examples/documents/004/legacy/07-service-fields-refused.yaml";

test("every example can be read without a problem", () => {
  assert.ok(examples.length > 50);
  for (const path of examples) {
    const { objects, problems } = readManifest(readText(path), path);
    assert.deepEqual(problems, [], path);
    assert.ok(objects.length > 0, path);
  }
});

test("every example is valid, but for the one that shows what is refused", () => {
  const invalid = examples.filter((path) =>
    readManifest(readText(path), path).objects.some(({ object }) => {
      const served = kindByGvk(object.apiVersion, object.kind);
      assert.ok(served, path);
      const { definition, version } = served;
      const stored = version.toStored?.(object) ?? structuredClone(object);
      if (definition.resource.namespaced) stored.metadata.namespace ??= "default";
      definition.applyDefaults(stored);
      definition.prepareCreate?.(stored);
      return [...definition.validate(stored), ...(definition.validateCreate?.(stored) ?? [])].length > 0;
    }),
  );
  assert.deepEqual(invalid, [refused]);
});

test("every example is applied by a test", () => {
  const tests = globSync("test/e2e/**/*.test.ts", { cwd: root }).map((path) => ({ path, text: readText(path) }));
  const unused = examples.filter((path) => {
    const [, folder = "", document = ""] = path.split("/");
    const name = basename(path, ".yaml");
    return !tests.some(({ text }) =>
      folder === "documents"
        ? text.includes(`manifestOf("${document}"`) && text.includes(`"${name}"`)
        : text.includes(`examples/${folder}"`),
    );
  });
  assert.deepEqual(unused, []);
});

test("every folder of examples is named in the documentation or in the examples' own index", () => {
  const text = [...readPages().map((page) => page.text), readText("examples/README.md")].join("\n");
  for (const folder of new Set(examples.map((path) => path.split("/")[1] ?? ""))) {
    assert.match(text, new RegExp(`examples/${folder}|\\b${folder}/`), folder);
  }
});
