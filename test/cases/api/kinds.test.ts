import assert from "node:assert/strict";
import { test } from "node:test";
import { kindByGvk, type ServedKind } from "#api/kinds.ts";
import { parseYaml } from "#api/manifest/yaml.ts";
import { fieldErrorText, type FieldError } from "#api/meta/field-error.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { checkShape } from "#api/schema/decode-json.ts";
import { readCases } from "./case-file.ts";

/** Ten minutes and five seconds after the creation time that the cases use. */
const now = Date.parse("2026-01-02T03:14:10Z");

function served(text: string): { kind: ServedKind; object: KubeObject } {
  const value = parseYaml(text) as KubeObject;
  const kind = kindByGvk(value.apiVersion, value.kind);
  assert.ok(kind, `no kind ${value.apiVersion} ${value.kind}`);
  const { definition, version } = kind;
  const report = checkShape(version.schema, value);
  assert.deepEqual([report.unknown, report.errors], [[], []]);
  const { toStored = (same: KubeObject) => same } = version;
  const object = toStored(report.value as KubeObject);
  if (definition.resource.namespaced) object.metadata.namespace ??= "default";
  object.metadata.creationTimestamp ??= "2026-01-02T03:04:05Z";
  definition.applyDefaults(object);
  return { kind, object };
}

/** The new object as the API server makes it of the manifest, and what it says to it. */
function written(manifest: string, before: string | undefined) {
  const { kind, object } = served(manifest);
  const { definition, version } = kind;
  const old = before === undefined ? undefined : created(before);
  const errors: FieldError[] = [];
  if (old === undefined) {
    definition.prepareCreate?.(object);
    errors.push(...definition.validate(object), ...(definition.validateCreate?.(object) ?? []));
  } else {
    definition.prepareUpdate?.(object, old);
    errors.push(...definition.validate(object), ...definition.validateUpdate(object, old));
  }
  const { translateError = (error: FieldError) => error } = version;
  const texts = errors.map((error) => translateError(error)).map((error) => `${error.path}: ${fieldErrorText(error)}`);
  return { kind, object, errors: texts, warnings: definition.warnings?.(object, old) ?? [] };
}

function created(manifest: string): KubeObject {
  const { kind, object } = served(manifest);
  const { status } = object as { status?: unknown };
  kind.definition.prepareCreate?.(object);
  // The stored object of a case may have a status, as controllers would have written it.
  if ((parseYaml(manifest) as { status?: unknown }).status !== undefined) Object.assign(object, { status });
  return object;
}

function lines(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}

/** Every part of `expected` stands in `actual`; nulls say that nothing stands there. */
function assertHolds(actual: unknown, expected: unknown, path: string): void {
  if (expected === null) return assert.equal(actual, undefined, path);
  if (typeof expected !== "object" || Array.isArray(expected)) return assert.deepEqual(actual, expected, path);
  assert.ok(typeof actual === "object" && actual !== null, `${path} is not an object`);
  for (const [key, value] of Object.entries(expected)) {
    assertHolds((actual as Record<string, unknown>)[key], value, `${path}.${key}`);
  }
}

for (const { name, sections } of readCases("kinds")) {
  test(name, () => {
    if (sections["row"] !== undefined) {
      const object = created(sections["manifest"] ?? "");
      const { definition } = served(sections["manifest"] ?? "").kind;
      const cells = definition.columns.map((column) => String(column.cell(object, now)));
      assert.equal(cells.join(" | "), sections["row"]);
      return;
    }
    const { kind, object, errors, warnings } = written(sections["manifest"] ?? "", sections["before"]);
    assert.deepEqual(errors, lines(sections["errors"] ?? ""));
    if (sections["warnings"] !== undefined) assert.deepEqual(warnings, lines(sections["warnings"]));
    if (sections["object"] !== undefined) assertHolds(object, parseYaml(sections["object"]), "object");
    if (sections["served"] !== undefined) {
      assertHolds(kind.version.fromStored?.(object), parseYaml(sections["served"]), "served");
    }
  });
}
