import assert from "node:assert/strict";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { eventually } from "../../fakes/eventually.ts";
import { ask, start, startTestServer } from "../../fakes/api-server.ts";
import { connectHttp2 } from "../../fakes/http2-client.ts";

const path = "/api/v1/namespaces/n/configmaps";
const count = 40;

test("a list of many pieces is the same plain, packed and indented, and a client may leave in its midst", async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const client = server.localClient({ name: "test", groups: ["system:masters"] });
  await client.create("Namespace", { metadata: { name: "n" } });
  // One that is longer than what is put together at once, among many that are not.
  for (let index = 0; index < count; index += 1) {
    const data = { text: String(index).repeat(index === 7 ? 700_000 : 30_000) };
    await client.create("ConfigMap", { metadata: { name: `c-${index}`, namespace: "n" }, data });
  }
  const plain = await ask(server, path);
  assert.equal(plain.headers["content-length"], String(plain.body.length));
  const { items } = JSON.parse(plain.body.toString()) as { items: { data: { text: string } }[] };
  assert.equal(items.length, count);
  const packed = await ask(server, path, { headers: { "Accept-Encoding": "gzip" } });
  assert.deepEqual([packed.headers["content-encoding"], packed.headers["vary"]], ["gzip", "Accept-Encoding"]);
  assert.ok(gunzipSync(packed.body).equals(plain.body));
  const indented = await ask(server, `${path}?pretty=true`, { headers: { "Accept-Encoding": "gzip" } });
  assert.deepEqual(JSON.parse(gunzipSync(indented.body).toString()), JSON.parse(plain.body.toString()));

  const session = await connectHttp2(server);
  t.after(() => session.destroy());
  const overHttp2 = (headers: object) => buffer(session.request({ ":path": path, ...headers }));
  assert.ok((await overHttp2({})).equals(plain.body));
  assert.ok(gunzipSync(await overHttp2({ "accept-encoding": "gzip" })).equals(plain.body));

  for (const headers of [{}, { "Accept-Encoding": "gzip" }]) {
    const request = start(server, path, { method: "GET", headers });
    request.end();
    await once(request, "response");
    request.destroy();
  }
  await eventually(async () => assert.ok((await ask(server, path)).body.equals(plain.body)));
});
