import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { test } from "node:test";
import { ask, startTestServer } from "../../fakes/api-server.ts";

const admin = { name: "test", groups: ["system:masters"] };

test("too much is refused with its own code, and long answers are packed for those who can unpack", async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const client = server.localClient(admin);
  await client.create("Namespace", { metadata: { name: "n" } });
  const path = "/api/v1/namespaces/n/configmaps";
  const post = (body: string) => ask(server, path, { method: "POST", body });

  const huge = await post(`{"metadata":{"name":"a"},"data":{"k":"${"x".repeat(3 * 1024 * 1024)}"}}`);
  assert.equal(huge.code, 413);
  assert.match(huge.body.toString(), /Request entity too large: limit is 3145728/);
  const large = await post(`{"metadata":{"name":"a"},"data":{"k":"${"x".repeat(1_100_000)}"}}`);
  assert.equal(large.code, 422);
  assert.match(large.body.toString(), /may not be more than 1048576 bytes/);
  const deep = await post(`{"metadata":{"name":"a"},"data":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
  assert.equal(deep.code, 400);
  for (const type of ["json-patch", "merge-patch", "strategic-merge-patch"]) {
    const nest = `${'{"a":['.repeat(50_000)}1${"]}".repeat(50_000)}`;
    const body = type === "json-patch" ? `[{"op":"add","path":"/data","value":${nest}}]` : `{"data":${nest}}`;
    const headers = { "Content-Type": `application/${type}+json` };
    const answer = await ask(server, "/api/v1/namespaces/n", { method: "PATCH", headers, body });
    assert.equal(answer.code, 400, type);
    assert.match(answer.body.toString(), /exceeded max depth/);
  }
  assert.equal((await ask(server, `/api/v1/pods?labelSelector=${"a".repeat(10_000)}`)).code, 414);
  assert.equal((await ask(server, "/api/v1/namespaces/%zz/pods")).code, 400);

  for (const name of ["a", "b", "c"]) {
    await client.create("ConfigMap", { metadata: { namespace: "n", name }, data: { k: "y".repeat(60_000) } });
  }
  const packed = await ask(server, path, { headers: { "Accept-Encoding": "gzip" } });
  assert.equal(packed.headers["content-encoding"], "gzip");
  assert.ok(packed.body.length < 10_000);
  assert.equal(JSON.parse(gunzipSync(packed.body).toString()).items.length, 3);
  const short = await ask(server, `${path}/a`, { headers: { "Accept-Encoding": "gzip" } });
  assert.equal(short.headers["content-encoding"], undefined);

  const document = await ask(server, "/openapi/v3/api/v1");
  const again = await ask(server, "/openapi/v3/api/v1", { headers: { "If-None-Match": document.headers.etag } });
  assert.equal(again.code, 304);
  assert.equal(again.body.length, 0);
});
