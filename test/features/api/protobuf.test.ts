import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { kinds } from "#api/kinds.ts";
import { decodeEnvelope, decodeProtobuf, ProtobufError } from "#api/schema/decode-protobuf.ts";
import { messageNames, messageOf } from "#api/schema/message.ts";
import { encodeEnvelope, encodeMessage } from "./encode-protobuf.ts";
import { messageValue } from "./message-value.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

test("bytes written by hand decode to the JSON form", () => {
  // metadata{name: "a"}, data{"k": "v"}, binaryData{"b": 0xff}, immutable: true
  const map = hex("0a03 0a0161  1206 0a016b 120176  1a06 0a0162 1201ff  2001");
  assert.deepEqual(decodeProtobuf(map, "core.v1.ConfigMap"), {
    metadata: { name: "a" },
    data: { k: "v" },
    binaryData: { b: "/w==" },
    immutable: true,
  });
});

test("empty texts are absent, an empty creation time too", () => {
  // metadata{name: "a", generateName: "", creationTimestamp: {}}, as Go writes it
  assert.deepEqual(decodeProtobuf(hex("0a07 0a0161 1200 4200"), "core.v1.ConfigMap"), { metadata: { name: "a" } });
});

test("values that JSON writes otherwise: times, quantities, numbers or names, inlined messages", () => {
  const cases: [string, string, unknown][] = [
    // seconds = 1767323045
    ["meta.ObjectMeta", "4206 08a5ebdcca06", { creationTimestamp: "2026-01-02T03:04:05Z" }],
    ["coordination.v1.LeaseSpec", "2209 08a5ebdcca06 10e807", { renewTime: "2026-01-02T03:04:05.000001Z" }],
    ["core.v1.ServicePort", "2207 0800 10901f 1a00", { targetPort: 3984 }],
    ["core.v1.ServicePort", "220a 0801 1000 1a0468747470", { targetPort: "http" }],
    ["core.v1.ResourceRequirements", "0a0d 0a03637075 12060a0435303 06d", { limits: { cpu: "500m" } }],
    ["core.v1.Probe", "0a08 1206 12040800 1050", { httpGet: { port: 80 } }],
    ["core.v1.Volume", "0a0176 1204 1202 0a00", { name: "v", emptyDir: {} }],
    ["networking.v1.IngressRule", "0a0161 1202 0a00", { host: "a", http: {} }],
    ["meta.ManagedFieldsEntry", "3a07 0a05 7b22 61 22 7d", "error"],
    ["meta.ManagedFieldsEntry", "3a0a 0a08 7b22 6122 3a7b 7d7d", { fieldsV1: { a: {} } }],
    ["apps.v1.DeploymentSpec", "08ffffffffffffffffff01", { replicas: -1 }],
  ];
  for (const [schema, bytes, expected] of cases) {
    if (expected === "error") assert.throws(() => decodeProtobuf(hex(bytes), schema), ProtobufError);
    else assert.deepEqual(decodeProtobuf(hex(bytes), schema), expected, schema);
  }
});

test("zeros that Go's JSON leaves out are absent, those that mean something stay", () => {
  const cases: [string, string, unknown][] = [
    ["core.v1.ServicePort", "1850 2800", { port: 80 }],
    ["core.v1.PodSpec", "5800 a80100", { automountServiceAccountToken: false }],
    ["apps.v1.DeploymentSpec", "0800 2800 3800", { replicas: 0 }],
    ["core.v1.ContainerStatus", "2000 2800", { ready: false, restartCount: 0 }],
    ["networking.v1.ServiceBackendPort", "0a0161 1000", { name: "a" }],
  ];
  for (const [schema, bytes, expected] of cases) assert.deepEqual(decodeProtobuf(hex(bytes), schema), expected, schema);
});

test("the envelope gives the names and the object", () => {
  const raw = hex("0a03 0a0161");
  const { apiVersion, kind, raw: inner } = decodeEnvelope(encodeEnvelope("v1", "ConfigMap", raw));
  assert.deepEqual([apiVersion, kind, Buffer.from(inner)], ["v1", "ConfigMap", raw]);
  assert.throws(() => decodeEnvelope(hex("7b7d")), /does not start with the prefix/);
});

test("what is written of any message comes back", () => {
  const schemas = kinds.flatMap(({ versions }) => versions.map(({ schema }) => schema));
  const some = fc.constantFrom(...schemas).chain((schema) => fc.tuple(fc.constant(schema), messageValue(schema)));
  fc.assert(
    fc.property(some, ([schema, value]) => {
      assert.deepEqual(decodeProtobuf(encodeMessage(schema, value), schema), value);
    }),
    { numRuns: 150 },
  );
});

test("any bytes decode or are refused, and nothing else happens", () => {
  const decodes = (bytes: Uint8Array, schema: string) => {
    try {
      decodeProtobuf(bytes, schema);
    } catch (error) {
      assert.ok(error instanceof ProtobufError, String(error));
    }
  };
  const schema = fc.constantFrom("core.v1.Pod", "core.v1.Service", "networking.v1.Ingress", "runtime.Unknown");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), schema, (bytes, name) => decodes(bytes, name)),
    { numRuns: 500 },
  );
  // Near misses: a real object with a few bytes changed or cut off.
  const broken = fc.tuple(messageValue("core.v1.Pod"), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean());
  fc.assert(
    fc.property(broken, ([value, at, byte, cut]) => {
      const bytes = Buffer.from(encodeMessage("core.v1.Pod", value));
      if (bytes.length === 0) return;
      bytes[at % bytes.length] = byte;
      decodes(cut ? bytes.subarray(0, at % bytes.length) : bytes, "core.v1.Pod");
    }),
    { numRuns: 150 },
  );
});

test("no message holds itself: decoding goes no deeper than the schema", () => {
  const walk = (name: string, above: readonly string[]) => {
    assert.ok(!above.includes(name), [...above, name].join(" > "));
    for (const { message } of messageOf(name).fields) if (message !== undefined) walk(message, [...above, name]);
  };
  for (const name of messageNames()) walk(name, []);
});

test("a key called __proto__ is a key", () => {
  const bytes = encodeMessage("core.v1.ConfigMap", { data: Object.fromEntries([["__proto__", "x"]]) });
  const { data } = decodeProtobuf(bytes, "core.v1.ConfigMap") as { data: object };
  assert.deepEqual(Object.entries(data), [["__proto__", "x"]]);
  assert.equal(Object.getPrototypeOf(data), Object.prototype);
});
