import assert from "node:assert/strict";
import { test } from "node:test";
import { findCondition } from "#api/meta/condition.ts";
import { namespace, pod, service, startCluster } from "./cluster.ts";

const key = { name: "dev" };
const rootCa = { namespace: "dev", name: "kube-root-ca.crt" };
const account = { namespace: "dev", name: "default" };

test("a namespace has its ServiceAccount and the root certificate, also after they are removed or edited", async () => {
  await using cluster = await startCluster([namespace("dev")]);
  assert.deepEqual((await cluster.client.get("ConfigMap", rootCa))?.data, { "ca.crt": "PEM" });
  assert.ok(await cluster.client.get("ServiceAccount", account));
  await cluster.client.delete("ServiceAccount", account);
  await cluster.client.patch("ConfigMap", rootCa, { data: { "ca.crt": "other" } });
  await cluster.settle();
  assert.ok(await cluster.client.get("ServiceAccount", account));
  assert.deepEqual((await cluster.client.get("ConfigMap", rootCa))?.data, { "ca.crt": "PEM" });
});

test("a deleted namespace goes with all it holds, and nothing else does", async () => {
  const elsewhere = { ...service("web"), metadata: { name: "web", namespace: "prod" } };
  await using cluster = await startCluster([namespace("dev"), namespace("prod"), service("web"), pod("a"), elsewhere]);
  await cluster.client.delete("Namespace", key);
  await cluster.settle();
  assert.equal(await cluster.client.get("Namespace", key), undefined);
  for (const kind of ["Pod", "Service", "ConfigMap", "EndpointSlice", "Endpoints", "Event"] as const) {
    assert.deepEqual((await cluster.client.list(kind, { namespace: "dev" })).items, [], kind);
  }
  assert.ok(await cluster.client.get("Service", elsewhere.metadata));
});

test("a namespace that cannot go yet says what holds it, and goes when that is gone", async () => {
  const held = pod("a");
  const kept = { ...held, metadata: { ...held.metadata, finalizers: ["example.com/hold"] } };
  await using cluster = await startCluster([namespace("dev"), kept]);
  await cluster.client.delete("Namespace", key);
  await cluster.settle();
  const conditions = (await cluster.client.get("Namespace", key))?.status?.conditions;
  const message = (type: string) => findCondition(conditions, type)?.message;
  assert.equal(conditions?.length, 5);
  assert.equal(message("NamespaceContentRemaining"), "Some resources are remaining: pods. has 1 resource instances");
  assert.equal(
    message("NamespaceFinalizersRemaining"),
    "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
  );
  await cluster.client.patch("Pod", kept.metadata, { metadata: { finalizers: [] } });
  await cluster.settle();
  assert.equal(await cluster.client.get("Namespace", key), undefined);
});
