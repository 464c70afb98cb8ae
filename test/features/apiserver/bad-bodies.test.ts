import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, startTestServer } from "../../fakes/api-server.ts";
import { watchedLog } from "../../fakes/log.ts";

const maps = "/api/v1/namespaces/n/configmaps";
const yaml = "application/yaml";
const protobuf = "application/vnd.kubernetes.protobuf";
const bytes = (hex: string) => Buffer.from(hex, "hex");
const withData = (text: string) => `{"metadata":{"name":"b"},"data":${text}}`;
const nested = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
/** Nine of each list in the next: written out, it would have a hundred million entries. */
const growing = ["a", "b", "c", "d", "e", "f", "g", "h"]
  .map(
    (name, at) =>
      `${name}: &${name} [${"x,".repeat(at === 0 ? 9 : 0)}${at === 0 ? "" : `*${"abcdefgh"[at - 1]},`.repeat(9)}x]`,
  )
  .join("\n");
const manyOperations = JSON.stringify(
  Array.from({ length: 10_001 }, () => ({ op: "add", path: "/data/k", value: "x" })),
);

/** What is too large or too strange for the conversations of test/cases/apiserver/bad-input.txt. */
const bodies: readonly {
  readonly of: string;
  readonly path?: string;
  readonly method?: string;
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly code: number;
  readonly reason: string;
  readonly message: RegExp;
}[] = [
  { of: "no body", body: "", code: 400, reason: "BadRequest", message: /json parse error: / },
  {
    of: "YAML that grows",
    type: yaml,
    body: growing,
    code: 400,
    reason: "BadRequest",
    message: /json parse error: yaml: /,
  },
  {
    of: "protobuf cut short",
    type: protobuf,
    body: bytes("6b38730012"),
    code: 400,
    reason: "BadRequest",
    message: /ends in the middle/,
  },
  {
    of: "protobuf of a length beyond its end",
    type: protobuf,
    body: bytes("6b3873000affffffff0f"),
    code: 400,
    reason: "BadRequest",
    message: /cannot be read as protobuf/,
  },
  {
    of: "bytes that are no text",
    body: bytes("fffe7b7d"),
    code: 400,
    reason: "BadRequest",
    message: /json parse error: /,
  },
  {
    of: "too many operations",
    path: `${maps}/a`,
    method: "PATCH",
    type: "application/json-patch+json",
    body: manyOperations,
    code: 413,
    reason: "RequestEntityTooLarge",
    message: /^The allowed maximum operations in a JSON patch is 10000, got 10001$/,
  },
  {
    of: "a body that is too large",
    body: withData(`{"k":"${"x".repeat(3 << 20)}"}`),
    code: 413,
    reason: "RequestEntityTooLarge",
    message: /^Request entity too large: limit is 3145728$/,
  },
  {
    of: "an object that is too large",
    body: withData(`{"k":"${"x".repeat((1 << 20) + 1)}"}`),
    code: 422,
    reason: "Invalid",
    message: /Too long: may not be more than 1048576 bytes$/,
  },
  {
    of: "a body that is too deep",
    body: withData(nested),
    code: 400,
    reason: "BadRequest",
    message: /exceeded max depth/,
  },
  {
    of: "a URL that is too long",
    path: `${maps}?labelSelector=${"a".repeat(9000)}`,
    method: "GET",
    code: 414,
    reason: "BadRequest",
    message: /^the URL is longer than 8192 bytes$/,
  },
];

test("bodies that are too large or no text are answered with a Status; nothing is stored, and the server goes on", async (t) => {
  const { log, faults } = watchedLog();
  const server = await startTestServer({ log });
  t.after(() => server.stop());
  const client = server.localClient({ name: "test", groups: ["system:masters"] });
  await client.create("Namespace", { metadata: { name: "n" } });
  await client.create("ConfigMap", { metadata: { name: "a", namespace: "n" }, data: { k: "v" } });
  const revision = server.registry.revision();
  for (const { of, path = maps, method = "POST", type = "application/json", body, code, reason, message } of bodies) {
    const headers = { "Content-Type": type };
    const answer = await ask(server, path, { method, headers, ...(body === undefined ? {} : { body }) });
    const shown = `${of}: ${answer.code} ${answer.body.toString().slice(0, 500)}`;
    assert.equal(answer.code, code, shown);
    const status = JSON.parse(answer.body.toString());
    assert.deepEqual([status.kind, status.apiVersion, status.status], ["Status", "v1", "Failure"], shown);
    assert.deepEqual([status.code, status.reason], [code, reason], shown);
    assert.match(status.message, message, shown);
  }
  assert.deepEqual(faults, []);
  assert.equal(server.registry.revision(), revision);
  assert.equal((await ask(server, `${maps}/a`)).code, 200);
});
