import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { ask, connectedClient, openWatch, startTestServer, type TestServer } from "../../fakes/api-server.ts";

interface Shown {
  readonly metadata: { readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[] };
}

const path = "/api/v1/namespaces/n/configmaps";

async function serverWith(t: { after(end: () => unknown): void }, store = {}): Promise<TestServer> {
  const server = await startTestServer(store);
  t.after(() => server.stop());
  const admin = server.localClient({ name: "system:fairlead:tester", groups: ["system:masters"] });
  if ((await admin.get("Namespace", { name: "n" })) === undefined) {
    await admin.create("Namespace", { metadata: { name: "n" } });
  }
  return server;
}

async function read(server: TestServer, at: string, accept = "application/json"): Promise<unknown> {
  const { body } = await ask(server, at, { headers: { Accept: accept } });
  return JSON.parse(body.toString());
}

/** By name: their own order is by time, and the seconds of a test may turn anywhere. */
function managersOf(object: unknown): string[] {
  const { managedFields = [] } = (object as Shown).metadata;
  return managedFields.map(({ manager, operation }) => `${manager} ${operation}`).sort();
}

async function create(server: TestServer, name: string, headers = {}): Promise<void> {
  const body = JSON.stringify({ metadata: { name }, data: { a: "1" } });
  const { code } = await ask(server, path, { method: "POST", headers, body });
  assert.equal(code, 201);
}

test("without a fieldManager the client's program is the manager, by the first word of its User-Agent", async (t) => {
  const server = await serverWith(t);
  await create(server, "a", { "User-Agent": "helm/3.1 (linux/amd64)" });
  assert.deepEqual(managersOf(await read(server, `${path}/a`)), ["helm Update"]);
  await create(server, "b", { "User-Agent": `x\t${"y".repeat(200)}` });
  assert.deepEqual(managersOf(await read(server, `${path}/b`)), [`x${"y".repeat(127)} Update`]);
});

test("the server's own parts write under names of their own", async (t) => {
  const server = await serverWith(t);
  const client = connectedClient(server);
  t.after(() => client.close());
  const local = server.localClient({ name: "system:fairlead:controller-manager", groups: ["system:masters"] });
  await local.create("ConfigMap", { metadata: { name: "a", namespace: "n" }, data: { a: "1" } });
  await client.patch("ConfigMap", { namespace: "n", name: "a" }, { data: { b: "1" } });
  await local.patch("ConfigMap", { namespace: "n", name: "a" }, { data: { c: "1" } }, { fieldManager: "other" });
  const managers = managersOf(await read(server, `${path}/a`));
  assert.deepEqual(managers, ["fairlead-controller-manager Update", "other Update", "test Update"]);
});

test("an engine's write of an object it was given loses no manager", async (t) => {
  const server = await serverWith(t);
  await create(server, "a", { "User-Agent": "helm" });
  const client = connectedClient(server);
  t.after(() => client.close());
  const object = await client.get("ConfigMap", { namespace: "n", name: "a" });
  assert.ok(object);
  await client.update("ConfigMap", { ...object, data: { ...object.data, b: "1" } });
  assert.deepEqual(managersOf(await read(server, `${path}/a`)), ["helm Update", "test Update"]);
});

test("lists, watches, metadata alone and tables with objects show managedFields, plain tables do not", async (t) => {
  const server = await serverWith(t);
  const watch = await openWatch(server, `${path}?watch=1`);
  await create(server, "a", { "User-Agent": "helm" });
  const [event] = await watch.until(1);
  watch.stop();
  assert.deepEqual(managersOf(event?.object), ["helm Update"]);
  const list = (await read(server, path)) as { items: unknown[] };
  assert.deepEqual(
    list.items.map((item) => managersOf(item)),
    [["helm Update"]],
  );
  const partial = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
  assert.deepEqual(managersOf(await read(server, `${path}/a`, partial)), ["helm Update"]);
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const rows = async (query: string) => {
    const { rows: all } = (await read(server, `${path}${query}`, table)) as { rows: { object: unknown }[] };
    return all.map(({ object }) => managersOf(object));
  };
  assert.deepEqual(await rows("?includeObject=Object"), [["helm Update"]]);
  assert.deepEqual(await rows(""), [[]]);
  const { body } = await ask(server, `${path}/a`, { headers: { Accept: "application/yaml" } });
  assert.match(body.toString(), /managedFields:\n\s+- manager: helm/);
});

test("an object that goes is shown with its managers, as it was last", async (t) => {
  const server = await serverWith(t);
  await create(server, "a", { "User-Agent": "helm" });
  const watch = await openWatch(server, `${path}?watch=1`);
  const body = JSON.stringify([{ op: "add", path: "/metadata/finalizers", value: ["example.org/x"] }]);
  const headers = { "Content-Type": "application/json-patch+json", "User-Agent": "ed" };
  await ask(server, `${path}/a`, { method: "PATCH", headers, body });
  await ask(server, `${path}/a`, { method: "DELETE" });
  const release = JSON.stringify([{ op: "remove", path: "/metadata/finalizers" }]);
  await ask(server, `${path}/a`, { method: "PATCH", headers, body: release });
  const events = await watch.until(4);
  watch.stop();
  assert.deepEqual(
    events.map(({ type, object }) => `${type} ${managersOf(object).join()}`),
    [
      "ADDED helm Update",
      "MODIFIED ed Update,helm Update",
      "MODIFIED ed Update,helm Update",
      "DELETED ed Update,helm Update",
    ],
  );
});

test("after a restart everybody holds what they held", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-managed-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "state.db");
  const firstStore = await openSqliteStore(file);
  const first = await startTestServer({ store: firstStore });
  await first
    .localClient({ name: "test", groups: ["system:masters"] })
    .create("Namespace", { metadata: { name: "n", labels: { a: "b" } } });
  const shown = await read(first, "/api/v1/namespaces/n");
  await first.stop();
  await firstStore.close();
  const store = await openSqliteStore(file);
  const second = await serverWith(t, { store });
  t.after(() => store.close());
  assert.deepEqual(managersOf(shown), ["test Update"]);
  assert.deepEqual(await read(second, "/api/v1/namespaces/n"), shown);
});

test("appliers that come at once to a name that is not there all succeed", async (t) => {
  const server = await serverWith(t);
  const apply = (manager: string) => {
    const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", data: { [manager]: "1" } });
    const headers = { "Content-Type": "application/apply-patch+yaml" };
    return ask(server, `${path}/a?fieldManager=${manager}`, { method: "PATCH", headers, body });
  };
  const codes = (await Promise.all(["a", "b", "c", "d"].map((manager) => apply(manager)))).map(({ code }) => code);
  assert.deepEqual(codes.sort(), [200, 200, 200, 201]);
  const object = (await read(server, `${path}/a`)) as { data: object };
  assert.deepEqual(Object.keys(object.data).sort(), ["a", "b", "c", "d"]);
  assert.equal(managersOf(object).length, 4);
});
