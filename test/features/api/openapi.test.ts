import assert from "node:assert/strict";
import { test } from "node:test";
import { servedKinds } from "#api/kinds.ts";
import { compileOpenApiV2 } from "#api/schema/openapi-v2.ts";
import { renderOpenApiV2Protobuf } from "#api/schema/openapi-v2-protobuf.ts";
import { compileOpenApiV3, openApiV3Keys } from "#api/schema/openapi-v3.ts";
import { WireReader } from "#api/schema/wire-reader.ts";

interface Operation {
  readonly parameters: readonly { name: string }[];
  readonly "x-kubernetes-group-version-kind": { group: string; version: string; kind: string };
}

interface Document {
  readonly paths: Record<string, { patch?: Operation; get?: Operation }>;
  readonly definitions: Record<string, unknown>;
  readonly components: { readonly schemas: Record<string, { properties?: Record<string, { description?: string }> }> };
}

const v3 = (key: string) => compileOpenApiV3(key) as Document | undefined;
const v2 = () => compileOpenApiV2() as unknown as Document;

test("every served kind has a PATCH operation that names it and takes dryRun and fieldValidation", () => {
  const documents = [v2(), ...openApiV3Keys().map((key) => v3(key))];
  const patches = documents.flatMap((document) =>
    Object.values(document?.paths ?? {}).flatMap(({ patch }) => patch ?? []),
  );
  for (const { version, definition } of servedKinds) {
    const gvk = { group: version.group, version: version.version, kind: definition.resource.kind };
    const own = patches.filter((patch) => isEqual(patch["x-kubernetes-group-version-kind"], gvk));
    assert.ok(own.length >= 2, `${version.schema} in both versions of OpenAPI`);
    for (const { parameters } of own) {
      const names = parameters.map(({ name }) => name);
      assert.ok(names.includes("dryRun") && names.includes("fieldValidation"));
    }
  }
});

function isEqual(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

test("every reference of a document leads somewhere in it", () => {
  for (const [document, root] of [
    [v2(), "#/definitions/"],
    ...openApiV3Keys().map((key) => [v3(key), "#/components/schemas/"] as const),
  ] as const) {
    const known = root === "#/definitions/" ? document?.definitions : document?.components.schemas;
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target ?? "");
    assert.ok(references.length > 0);
    for (const target of references) assert.ok(Object.hasOwn(known ?? {}, target.replace(root, "")), target);
  }
});

test("lists say how they merge", () => {
  const schemas = v3("api/v1")?.components.schemas ?? {};
  const merging = (name: string, field: string) => {
    const { description: _, ...rest } = schemas[name]?.properties?.[field] ?? {};
    return rest;
  };
  assert.deepEqual(merging("io.k8s.api.core.v1.ServiceSpec", "ports"), {
    type: "array",
    items: { $ref: "#/components/schemas/io.k8s.api.core.v1.ServicePort" },
    "x-kubernetes-list-map-keys": ["port", "protocol"],
    "x-kubernetes-list-type": "map",
    "x-kubernetes-patch-merge-key": "port",
    "x-kubernetes-patch-strategy": "merge",
  });
  assert.deepEqual(merging("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "finalizers"), {
    type: "array",
    items: { type: "string" },
    "x-kubernetes-list-type": "set",
    "x-kubernetes-patch-strategy": "merge",
  });
});

test("a group that is not served has no document", () => {
  assert.equal(v3("apis/batch/v1"), undefined);
});

test("the protobuf form holds the same paths and definitions", () => {
  const document = compileOpenApiV2();
  const names = new Map<number, string[]>();
  const top = read(renderOpenApiV2Protobuf(document));
  for (const { number, bytes } of top) {
    if (number === 8 || number === 9) {
      names.set(
        number,
        read(bytes).map((entry) => Buffer.from(read(entry.bytes)[0]?.bytes ?? []).toString()),
      );
    }
  }
  assert.deepEqual(names.get(8), Object.keys(document.paths));
  assert.deepEqual(names.get(9), Object.keys(document.definitions));
  assert.equal(Buffer.from(top[0]?.bytes ?? []).toString(), "2.0");
});

function read(bytes: Uint8Array): { number: number; bytes: Uint8Array }[] {
  const reader = new WireReader(bytes, (message) => assert.fail(message));
  const fields: { number: number; bytes: Uint8Array }[] = [];
  while (!reader.done) {
    const { number, type } = reader.tag();
    fields.push({ number, bytes: reader.bytes(type) });
  }
  return fields;
}
