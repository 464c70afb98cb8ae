import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole } from "#api/rbac/clusterrole/kind.ts";
import { startCluster } from "./cluster.ts";

const rule = (resource: string) => ({ verbs: ["get"], apiGroups: [""], resources: [resource] });

function role(name: string, resources: string[], to?: string, from?: string): ClusterRole {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name, ...(to === undefined ? {} : { labels: { [to]: "true" } }) },
    rules: resources.map((resource) => rule(resource)),
    ...(from === undefined ? {} : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [from]: "true" } }] } }),
  };
}

test("a role made of others has their rules, each once, through several steps, and follows them", async () => {
  await using cluster = await startCluster([
    role("edit", [], "to-admin", "to-edit"),
    role("admin", ["stale"], undefined, "to-admin"),
    role("b", ["pods", "services"], "to-edit"),
    role("a", ["pods", "nodes"], "to-edit"),
    role("other", ["secrets"]),
  ]);
  const { client } = cluster;
  const rulesOf = async (name: string) =>
    (await client.get("ClusterRole", { name }))?.rules?.map(({ resources }) => resources?.[0]);
  await cluster.settle();
  assert.deepEqual(await rulesOf("edit"), ["pods", "nodes", "services"]);
  assert.deepEqual(await rulesOf("admin"), ["pods", "nodes", "services"]);
  assert.deepEqual(await rulesOf("other"), ["secrets"]);

  await client.patch("ClusterRole", { name: "other" }, { metadata: { labels: { "to-admin": "true" } } });
  await client.delete("ClusterRole", { name: "a" });
  await cluster.settle();
  assert.deepEqual(await rulesOf("admin"), ["pods", "services", "secrets"]);
  await client.patch("ClusterRole", { name: "other" }, { metadata: { labels: { "to-admin": null } } });
  await cluster.settle();
  assert.deepEqual(await rulesOf("admin"), ["pods", "services"]);
});
