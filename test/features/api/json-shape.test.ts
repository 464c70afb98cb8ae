import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { kinds } from "#api/kinds.ts";
import { checkShape } from "#api/schema/decode-json.ts";
import { findDuplicateFields } from "#api/schema/duplicate-fields.ts";
import { messageValue } from "./message-value.ts";

const message = (schema: string, value: unknown) => checkShape(schema, value).errors.map((error) => error.message);

test("wrong types are told in the words of Go's decoder", () => {
  const cases: [string, unknown, string][] = [
    [
      "core.v1.ConfigMap",
      { data: { a: 1 } },
      "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
    ],
    [
      "core.v1.Service",
      { spec: { ports: [{ port: "80" }] } },
      "json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32",
    ],
    [
      "core.v1.Service",
      { spec: { ports: [{ port: 1.5 }] } },
      "json: cannot unmarshal number 1.5 into Go struct field ServicePort.spec.ports.port of type int32",
    ],
    [
      "core.v1.Service",
      { spec: { ports: [{ port: 2147483648 }] } },
      "json: cannot unmarshal number 2147483648 into Go struct field ServicePort.spec.ports.port of type int32",
    ],
    [
      "core.v1.Service",
      { spec: [] },
      "json: cannot unmarshal array into Go struct field Service.spec of type v1.ServiceSpec",
    ],
    [
      "core.v1.Service",
      { spec: { ports: {} } },
      "json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort",
    ],
    [
      "core.v1.Service",
      { spec: { publishNotReadyAddresses: "true" } },
      "json: cannot unmarshal string into Go struct field ServiceSpec.spec.publishNotReadyAddresses of type bool",
    ],
    [
      "core.v1.Service",
      { metadata: { labels: [] } },
      "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
    ],
    ["core.v1.Secret", { data: { a: "x?" } }, "illegal base64 data at input byte 1"],
    ["core.v1.Secret", { data: { a: "eA=" } }, "illegal base64 data at input byte 2"],
  ];
  for (const [schema, value, expected] of cases) assert.deepEqual(message(schema, value), [expected]);
});

test("times must be times, and micro times have six decimals", () => {
  const lease = (renewTime: string) => message("coordination.v1.Lease", { spec: { renewTime } }).length;
  assert.equal(lease("2026-01-02T03:04:05.000000Z"), 0);
  assert.equal(lease("2026-01-02T03:04:05.000Z"), 1);
  assert.equal(lease("2026-01-02T03:04:05Z"), 1);
  assert.deepEqual(message("core.v1.Event", { lastTimestamp: "2026-01-02T03:04:05Z" }), []);
  assert.equal(message("core.v1.Event", { lastTimestamp: "2026-13-02T03:04:05Z" }).length, 1);
  assert.equal(message("core.v1.Event", { lastTimestamp: "yesterday" }).length, 1);
});

test("unknown fields are named by their path and left out, nulls are absent", () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "a", labels: null, apiVersion: "v1" },
    spec: {
      portz: 1,
      ports: [
        { port: 80, foo: {} },
        { port: 81, name: null },
      ],
    },
    extra: true,
  };
  assert.deepEqual(checkShape("core.v1.Service", service), {
    value: {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "a" },
      spec: { ports: [{ port: 80 }, { port: 81 }] },
    },
    unknown: ["metadata.apiVersion", "spec.portz", "spec.ports[0].foo", "extra"],
    errors: [],
  });
});

test("field names are case-sensitive", () => {
  assert.deepEqual(checkShape("core.v1.ConfigMap", { Data: {} }).unknown, ["Data"]);
});

test("zero is as good as absent where Go's JSON leaves it out", () => {
  const { value } = checkShape("core.v1.ServiceSpec", {
    publishNotReadyAddresses: false,
    ports: [{ port: 0, nodePort: 0 }],
  });
  assert.deepEqual(value, { ports: [{ port: 0 }] });
  assert.deepEqual(checkShape("apps.v1.DeploymentSpec", { replicas: 0, paused: false }).value, { replicas: 0 });
});

test("quantities may be numbers, and are texts from then on", () => {
  const pod = (cpu: unknown) => checkShape("core.v1.ResourceRequirements", { limits: { cpu } });
  assert.deepEqual(pod(2).value, { limits: { cpu: "2" } });
  assert.deepEqual(pod("1.5Gi").value, { limits: { cpu: "1.5Gi" } });
  assert.equal(pod("5 apples").errors.length, 1);
});

test("every value of every kind keeps its shape", () => {
  const schemas = kinds.flatMap(({ versions }) => versions.map(({ schema }) => schema));
  const some = fc.constantFrom(...schemas).chain((schema) => fc.tuple(fc.constant(schema), messageValue(schema)));
  fc.assert(
    fc.property(some, ([schema, value]) => {
      assert.deepEqual(checkShape(schema, value), { value, unknown: [], errors: [] });
    }),
    { numRuns: 150 },
  );
});

test("anything that is JSON is judged without an exception", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      checkShape("core.v1.Pod", JSON.parse(text));
      findDuplicateFields(text);
    }),
    { numRuns: 300 },
  );
});

test("fields written twice are found in the text", () => {
  const cases: [string, string[]][] = [
    ['{"a":1,"b":2}', []],
    ['{"a":1,"a":2,"a":3}', ["a"]],
    ['{"spec":{"ports":[{"port":1},{"port":2,"x":"port","port":3}]}}', ["spec.ports[1].port"]],
    ['{"a":{"x":1},"b":{"x":1}}', []],
    ['{"a":"\\"a\\":1,{","b":["a","a",{"a":1}],"b":2}', ["b"]],
    ['{"\\u0061":1,"a":2}', ["a"]],
    ['[{"a":1,"a":2}]', ["[0].a"]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(findDuplicateFields(text), expected, text);
});
