import assert from "node:assert/strict";
import { test } from "node:test";
import { readManifest } from "#api/manifest/read.ts";
import { readCases } from "./case-file.ts";

for (const { name, sections } of readCases("manifest")) {
  test(name, () => {
    const { objects, problems } = readManifest(sections["manifest"] ?? "", "web.yaml");
    const told = problems.map(({ message }) => message).join("\n");
    assert.equal(told, sections["problems"] ?? "");
    const found = objects.map(
      ({ object, line }) => `${line} ${object.apiVersion} ${object.kind} ${object.metadata.name}`,
    );
    assert.equal(found.join("\n"), sections["objects"] ?? "");
  });
}
