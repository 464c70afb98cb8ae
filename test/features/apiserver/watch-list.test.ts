import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, connectedClient, openWatch, startTestServer } from "../../fakes/api-server.ts";

const path = "/api/v1/namespaces?watch=true&allowWatchBookmarks=true";
const streaming = `${path}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`;

test("a streaming list tells what there is, marks where that ends, and goes on with what changes", async (t) => {
  const server = await startTestServer();
  const client = connectedClient(server);
  t.after(() => server.stop());
  t.after(() => client.close());
  await client.create("Namespace", { metadata: { name: "b" } });
  const last = await client.create("Namespace", { metadata: { name: "a" } });

  const watch = await openWatch(server, streaming);
  assert.equal(watch.response.headers["content-type"], "application/json");
  const events = await watch.until(3);
  assert.deepEqual(
    events.map(({ type, object }) => `${type} ${object.metadata.name}`),
    ["ADDED a", "ADDED b", "BOOKMARK undefined"],
  );
  const [, , mark] = events;
  assert.equal(mark?.object.kind, "Namespace");
  assert.equal(mark?.object.metadata.resourceVersion, last.metadata.resourceVersion);
  assert.deepEqual(mark?.object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
  await client.create("Namespace", { metadata: { name: "c" } });
  assert.equal((await watch.until(4))[3]?.object.metadata.name, "c");
  watch.stop();

  const refused = await ask(server, `${path}&sendInitialEvents=true`);
  assert.equal(refused.code, 422);
  assert.match(refused.body.toString(), /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/);
  assert.equal((await ask(server, `${path}&resourceVersionMatch=NotOlderThan`)).code, 422);
  assert.equal((await ask(server, `${path}&labelSelector=a%20in%20(`)).code, 400);
});
