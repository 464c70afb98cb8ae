import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnerReference } from "#api/meta/object.ts";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import { deployment, startCluster, threeNodes, type TestCluster } from "./cluster.ts";

const web = { namespace: "dev", name: "web" };

function configMap(name: string, owners: Partial<OwnerReference>[] = [], namespace = "dev"): ConfigMap {
  const ownerReferences = owners.map((owner) => ({ apiVersion: "v1", kind: "ConfigMap", name: "", uid: "", ...owner }));
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, uid: `uid-${name}`, ownerReferences } };
}
const ownedBy = (name: string, parts: Partial<OwnerReference> = {}) => ({ name, uid: `uid-${name}`, ...parts });

async function names(cluster: TestCluster): Promise<string[]> {
  return (await cluster.client.list("ConfigMap")).items.map(({ metadata }) => metadata.name);
}

test("deleting a Deployment removes its ReplicaSets and pods", async () => {
  await using cluster = await startCluster([...threeNodes, deployment("web")]);
  assert.equal((await cluster.pods()).length, 3);
  await cluster.client.delete("Deployment", web);
  await cluster.settle();
  assert.deepEqual((await cluster.client.list("ReplicaSet")).items, []);
  assert.deepEqual(await cluster.pods(), []);
});

test("foreground: the owner stays until what blocks it is gone", async () => {
  await using cluster = await startCluster([...threeNodes, deployment("web")]);
  const [held] = await cluster.pods();
  assert.ok(held);
  await cluster.client.patch("Pod", held.metadata, { metadata: { finalizers: ["example.com/hold"] } });
  await cluster.client.delete("Deployment", web, { propagationPolicy: "Foreground" });
  await cluster.settle();
  assert.ok(await cluster.client.get("Deployment", web));
  assert.deepEqual(
    (await cluster.pods()).map(({ metadata }) => metadata.name),
    [held.metadata.name],
  );
  await cluster.client.patch("Pod", held.metadata, { metadata: { finalizers: [] } });
  await cluster.settle();
  assert.equal(await cluster.client.get("Deployment", web), undefined);
  assert.deepEqual((await cluster.client.list("ReplicaSet")).items, []);
});

test("orphan: the dependents stay, without the owner", async () => {
  await using cluster = await startCluster([...threeNodes, deployment("web")]);
  await cluster.client.delete("Deployment", web, { propagationPolicy: "Orphan" });
  await cluster.settle();
  assert.equal(await cluster.client.get("Deployment", web), undefined);
  const [left] = (await cluster.client.list("ReplicaSet")).items;
  assert.deepEqual(left?.metadata.ownerReferences, []);
  assert.equal((await cluster.pods()).length, 3);
});

test("an object whose owner never existed, or has another uid, is removed", async () => {
  await using cluster = await startCluster([
    configMap("owner"),
    configMap("a", [ownedBy("missing")]),
    configMap("b", [{ name: "owner", uid: "another" }]),
    configMap("c", [ownedBy("owner")]),
  ]);
  assert.deepEqual(await names(cluster), ["c", "owner"]);
});

test("an object with one owner left stays and forgets the other", async () => {
  await using cluster = await startCluster([
    configMap("owner"),
    configMap("a", [ownedBy("owner"), ownedBy("missing")]),
  ]);
  const left = await cluster.client.get("ConfigMap", { namespace: "dev", name: "a" });
  assert.deepEqual(
    left?.metadata.ownerReferences?.map(({ uid }) => uid),
    ["uid-owner"],
  );
});

test("owners that cannot be judged are no reason to delete: unknown kinds, other namespaces", async () => {
  await using cluster = await startCluster([
    configMap("owner", [], "prod"),
    configMap("a", [ownedBy("owner")]),
    configMap("b", [ownedBy("x", { apiVersion: "example.com/v1", kind: "Widget" })]),
    configMap("c", [ownedBy("x", { apiVersion: "example.com/v1", kind: "ConfigMap" })]),
  ]);
  assert.deepEqual(await names(cluster), ["a", "b", "c", "owner"]);
  await cluster.controllers.stop();
  const reasons = (await cluster.client.list("Event")).items.map(({ reason }) => reason);
  assert.deepEqual(reasons, ["OwnerRefInvalidNamespace"]);
});
