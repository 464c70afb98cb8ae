import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ask, openWatch, startTestServer } from "../../fakes/api-server.ts";

const admin = { name: "test", groups: ["system:masters"] };
const path = "/api/v1/namespaces/n/configmaps";
const meta = (as: string) => ({
  headers: { Accept: `application/json;as=${as};v=v1;g=meta.k8s.io,application/json` },
});

async function prepare(t: TestContext) {
  const server = await startTestServer();
  t.after(() => server.stop());
  const client = server.localClient(admin);
  await client.create("Namespace", { metadata: { name: "n" } });
  await client.create("ConfigMap", { metadata: { name: "a", namespace: "n", labels: { app: "x" } }, data: { k: "v" } });
  return { server, client };
}

test("a watch in the form of tables has one row an event, with the columns each time", async (t) => {
  const { server, client } = await prepare(t);
  const watch = await openWatch(server, `${path}?watch=1&includeObject=Object`, meta("Table"));
  await client.delete("ConfigMap", { name: "a", namespace: "n" });
  for (const { object } of await watch.until(2)) {
    const { kind, columnDefinitions, rows } = object as unknown as {
      kind: string;
      columnDefinitions: { name: string }[];
      rows: { cells: unknown[]; object: { kind: string; data: object } }[];
    };
    assert.equal(kind, "Table");
    assert.deepEqual(
      columnDefinitions.map(({ name }) => name),
      ["Name", "Data", "Age"],
    );
    assert.deepEqual([rows.length, rows[0]?.cells.slice(0, 2), rows[0]?.object.data], [1, ["a", 1], { k: "v" }]);
  }
  watch.stop();
});

test("a watch of metadata alone says nothing else", async (t) => {
  const { server } = await prepare(t);
  const bookmarks = "allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
  const watch = await openWatch(server, `${path}?watch=1&${bookmarks}`, meta("PartialObjectMetadata"));
  const [added, mark] = await watch.until(2);
  assert.deepEqual(Object.keys(added?.object ?? {}), ["kind", "apiVersion", "metadata"]);
  assert.equal(added?.object.kind, "PartialObjectMetadata");
  assert.deepEqual(added?.object.metadata.labels, { app: "x" });
  assert.equal(mark?.type, "BOOKMARK");
  watch.stop();
});

test("what a watch or a list cannot be asked together is refused in upstream's words", async (t) => {
  const { server } = await prepare(t);
  for (const [query, code, message] of [
    ["watch=1&sendInitialEvents=true&resourceVersionMatch=Exact", 422, /setting resourceVersionMatch to NotOlderThan/],
    ["watch=1&resourceVersionMatch=NotOlderThan", 422, /forbidden for watch unless sendInitialEvents is provided/],
    ["sendInitialEvents=true", 422, /sendInitialEvents is forbidden for list/],
    ["resourceVersion=0&resourceVersionMatch=Exact", 422, /forbidden for resourceVersion/],
    ["resourceVersion=1&resourceVersionMatch=Sometimes", 422, /Unsupported value: \\"Sometimes\\"/],
    ["watch=1&resourceVersion=x", 400, /invalid resource version/],
    ["watch=1&fieldSelector=spec.x%3D1", 400, /not a known field selector/],
  ] as const) {
    const answer = await ask(server, `${path}?${query}`);
    assert.equal(answer.code, code, query);
    assert.match(answer.body.toString(), message);
  }
});

test("a list from a moment still to come is told so after a while, with the moment that there is", async (t) => {
  const { server } = await prepare(t);
  const answer = await ask(server, `${path}?resourceVersion=999999&resourceVersionMatch=NotOlderThan`);
  assert.equal(answer.code, 504);
  const { reason, message, details } = JSON.parse(answer.body.toString()) as {
    reason: string;
    message: string;
    details: { causes: { reason: string }[] };
  };
  assert.equal(reason, "Timeout");
  assert.match(message, /^Timeout: Too large resource version: 999999, current: \d+$/);
  assert.equal(details.causes[0]?.reason, "ResourceVersionTooLarge");
});

test("a watch is asked for by any value but false", async (t) => {
  const { server } = await prepare(t);
  for (const value of ["1", "true", "True", "yes", ""]) {
    const watch = await openWatch(server, `${path}?watch=${value}`);
    assert.equal((await watch.until(1))[0]?.type, "ADDED", value);
    watch.stop();
  }
  for (const value of ["0", "false", "False"]) {
    assert.match((await ask(server, `${path}?watch=${value}`)).body.toString(), /"kind":"ConfigMapList"/);
  }
});
