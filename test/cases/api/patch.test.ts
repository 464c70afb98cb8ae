import assert from "node:assert/strict";
import { test } from "node:test";
import { parseYaml } from "#api/manifest/yaml.ts";
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from "#api/meta/patch.ts";
import { ApiError } from "#api/meta/status.ts";
import { readCases } from "./case-file.ts";

function patched(sections: Readonly<Record<string, string>>): unknown {
  const original = parseYaml(sections["original"] ?? "");
  const before = structuredClone(original);
  try {
    if (sections["merge"] !== undefined) return applyMergePatch(original, parseYaml(sections["merge"]));
    if (sections["json"] !== undefined) return applyJsonPatch(original, parseYaml(sections["json"]));
    return applyStrategicMergePatch(original, parseYaml(sections["strategic"] ?? ""), sections["schema"] ?? "");
  } catch (error) {
    if (error instanceof ApiError) return `${error.code} ${error.message}`;
    throw error;
  } finally {
    assert.deepEqual(original, before, "the original was changed");
  }
}

for (const { name, sections } of readCases("patch")) {
  test(name, () => assert.deepEqual(patched(sections), parseYaml(sections["result"] ?? "")));
}
