import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store, StoreSink } from "#store/contract.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { ask, startTestServer } from "../../fakes/api-server.ts";

test("a binding in the store that makes no sense gives nothing, and keeps no other from being taken away", async (t) => {
  const store = createMemoryStore();
  const put = (key: string, value: object) =>
    store.commit([
      { type: "put", key: `/registry/${key}`, value: Buffer.from(JSON.stringify(value)), expect: "absent" },
    ]);
  const head = { apiVersion: "rbac.authorization.k8s.io/v1" };
  const rules = [{ verbs: ["get"], nonResourceURLs: ["/version"] }];
  await put("clusterroles/r", { ...head, kind: "ClusterRole", metadata: { name: "r" }, rules });
  const binding = (name: string, subjects: unknown) => ({
    ...head,
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { kind: "ClusterRole", name: "r" },
    subjects,
  });
  await put("clusterrolebindings/a", binding("a", [null]));
  await put("clusterrolebindings/b", binding("b", [{ kind: "User", name: "alice" }]));
  const server = await startTestServer({ store });
  t.after(() => server.stop());
  const asAlice = async () => (await ask(server, "/version", { headers: { "Impersonate-User": "alice" } })).code;
  assert.equal(await asAlice(), 200);
  await put("clusterrolebindings/c", binding("c", "nobody"));
  const path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/b";
  assert.equal((await ask(server, path, { method: "DELETE" })).code, 200);
  assert.equal(await asAlice(), 403);
});

test("rights that were taken away while the server missed changes of its store do not count afterwards", async (t) => {
  const memory = createMemoryStore();
  let following: StoreSink | undefined;
  const store: Store = {
    ...memory,
    watch(prefix, since, sink) {
      following = sink;
      // Nothing is told any more once it is lost.
      return memory.watch(prefix, since, { ...sink, event: (event) => following === sink && sink.event(event) });
    },
  };
  const server = await startTestServer({ store });
  t.after(() => server.stop());
  const admin = server.localClient({ name: "admin", groups: ["system:masters"] });
  await admin.create("ClusterRole", { metadata: { name: "r" }, rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] });
  await admin.create("ClusterRoleBinding", {
    metadata: { name: "b" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "r" },
    subjects: [{ kind: "User", name: "alice", apiGroup: "rbac.authorization.k8s.io" }],
  });
  const asAlice = async () => (await ask(server, "/x", { headers: { "Impersonate-User": "alice" } })).code;
  assert.equal(await asAlice(), 404);

  const lost = following;
  following = undefined;
  await memory.commit([{ type: "delete", key: "/registry/clusterrolebindings/b" }]);
  assert.equal(await asAlice(), 404);
  lost?.end("failed", new Error("the store was out of reach"));
  while ((await admin.get("ClusterRoleBinding", { name: "b" })) !== undefined)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await asAlice(), 403);
  // And it goes on from there.
  await admin.delete("ClusterRole", { name: "r" });
});
