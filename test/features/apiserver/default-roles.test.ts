import assert from "node:assert/strict";
import { test } from "node:test";
import { bootstrapRoles } from "#apiserver/bootstrap-roles.ts";
import { defaultRoles } from "#apiserver/auth/rbac/default-roles.ts";
import { startTestServer } from "../../fakes/api-server.ts";

test("the roles that every cluster has are there, get back what they lost, and keep what was added", async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const client = server.localClient({ name: "test", groups: ["system:masters"] });
  await bootstrapRoles(client);
  const { items } = await client.list("ClusterRole");
  assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), defaultRoles.map(({ name }) => name).sort());
  const revision = server.registry.revision();
  await bootstrapRoles(client);
  assert.equal(server.registry.revision(), revision, "what is right is left alone");

  const name = "system:discovery";
  const extra = { verbs: ["get"], nonResourceURLs: ["/extra"] };
  const carol = { kind: "User" as const, name: "carol", apiGroup: "rbac.authorization.k8s.io" };
  const role = await client.get("ClusterRole", { name });
  await client.patch("ClusterRole", { name }, { rules: [extra] });
  await client.patch("ClusterRoleBinding", { name }, { subjects: [carol] });
  await client.delete("ClusterRole", { name: "system:basic-user" });
  await bootstrapRoles(client);
  assert.deepEqual((await client.get("ClusterRole", { name }))?.rules, [extra, ...(role?.rules ?? [])]);
  const subjects = (await client.get("ClusterRoleBinding", { name }))?.subjects?.map((subject) => subject.name);
  assert.deepEqual(subjects, ["carol", "system:authenticated"]);
  assert.ok(await client.get("ClusterRole", { name: "system:basic-user" }));

  // Whoever says so keeps his own.
  const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
  await client.patch("ClusterRole", { name }, { metadata: { annotations }, rules: [extra] });
  await bootstrapRoles(client);
  assert.deepEqual((await client.get("ClusterRole", { name }))?.rules, [extra]);
});
