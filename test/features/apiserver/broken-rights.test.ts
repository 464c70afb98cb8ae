import assert from "node:assert/strict";
import { test } from "node:test";
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
