import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReplicaSet } from "#api/apps/replicaset/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { createFakeClient } from "#client/fake.ts";
import { pickPodsToDelete } from "#controllers/replicaset/rank.ts";
import { pod, startCluster, threeNodes } from "./cluster.ts";
import { laggingClient } from "./lagging-client.ts";
import { manualClock } from "../../fakes/clock.ts";

function replicaSet(replicas: number, spec: Partial<ReplicaSet["spec"]> = {}): ReplicaSet {
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "web", namespace: "dev", uid: "uid-rs", generation: 1 },
    spec: { replicas, selector: { matchLabels: labels }, template, ...spec },
  };
}
const key = { namespace: "dev", name: "web" };

test("no pod is created twice, however late its creation is seen", async () => {
  const fake = createFakeClient([...threeNodes, replicaSet(5)]);
  let created = 0;
  fake.watch("Pod", { since: "0" }, { event: ({ type }) => void (created += type === "ADDED" ? 1 : 0), end() {} });
  let turn = 0;
  const client = laggingClient(fake, () => ((turn += 1) % 7) / 10);
  await using cluster = await startCluster([], { client });
  for (let replicas = 6; replicas < 12; replicas += 1) {
    await cluster.client.patch("ReplicaSet", key, { spec: { replicas }, metadata: { annotations: { turn: "x" } } });
    do await cluster.settle();
    while (!client.delivered());
  }
  await cluster.settle();
  assert.equal(created, 11);
  assert.equal((await fake.get("ReplicaSet", key))?.status?.replicas, 11);
});

test("the pods that do least go first", () => {
  const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, "0")}:00Z`;
  const ready = (minute: number) => ({ type: "Ready", status: "True" as const, lastTransitionTime: at(minute) });
  const running = (
    name: string,
    nodeName: string,
    minute: number,
    parts: Partial<Pod["metadata"]> = {},
    restartCount = 0,
  ): Pod => {
    const base = pod(name, { spec: { nodeName }, status: { phase: "Running", conditions: [ready(minute)] } });
    const containerStatuses = [{ name: "web", ready: true, restartCount, image: "", imageID: "" }];
    return {
      ...base,
      metadata: { ...base.metadata, creationTimestamp: at(0), ...parts },
      status: { ...base.status, containerStatuses },
    };
  };
  const pods = [
    running("oldest", "n2", 1),
    running("restarted", "n2", 2, {}, 3),
    running("later", "n2", 2, { creationTimestamp: at(1) }),
    running("latest", "n2", 3),
    running("crowded", "n1", 1),
    running("cheap", "n2", 1, { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-5" } }),
    pod("unready", { spec: { nodeName: "n1" }, status: { phase: "Running" } }),
    pod("pending", { spec: { nodeName: "n1" }, status: { phase: "Pending" } }),
    pod("unassigned", { status: { phase: "Pending" } }),
  ];
  const crowd = Array.from({ length: 9 }, (_, index) => pod(`x${index}`, { spec: { nodeName: "n1" } }));
  const order = pickPodsToDelete(pods, 9, [...pods, ...crowd]).map(({ metadata }) => metadata.name);
  assert.deepEqual(order, [
    "unassigned",
    "pending",
    "unready",
    "cheap",
    "crowded",
    "latest",
    "restarted",
    "later",
    "oldest",
  ]);
});

test("a pod that becomes ready just as it should go stays, and another goes", async () => {
  const fake = createFakeClient([...threeNodes, replicaSet(2)]);
  const saved: string[] = [];
  const remove: typeof fake.delete = async (kind, object, options) => {
    if (kind === "Pod" && saved.length === 0) {
      saved.push(object.name);
      const conditions = [{ type: "Ready", status: "True" }];
      await fake.patch("Pod", object, { status: { phase: "Running", conditions } });
    }
    return fake.delete(kind, object, options);
  };
  await using cluster = await startCluster([], { client: { ...fake, delete: remove } });
  await cluster.client.patch("ReplicaSet", key, { spec: { replicas: 1 } });
  await cluster.settle();
  assert.deepEqual(
    (await cluster.pods()).map(({ metadata }) => metadata.name),
    saved,
  );
});

test("a pod that matches is adopted, and let go when its labels no longer match", async () => {
  await using cluster = await startCluster([...threeNodes, replicaSet(2), pod("stray")]);
  const stray = () => cluster.client.get("Pod", { namespace: "dev", name: "stray" });
  assert.equal((await cluster.pods()).length, 2);
  assert.equal((await stray())?.metadata.ownerReferences?.[0]?.uid, "uid-rs");
  await cluster.client.patch("Pod", { namespace: "dev", name: "stray" }, { metadata: { labels: { app: "debug" } } });
  await cluster.settle();
  assert.deepEqual((await stray())?.metadata.ownerReferences, []);
  assert.equal((await cluster.pods("app=web")).length, 2);
});

test("a pod that ends is replaced, and one that is deleted too", async () => {
  await using cluster = await startCluster([...threeNodes, replicaSet(2)]);
  const [first, second] = await cluster.pods();
  assert.ok(first && second);
  await cluster.client.patch("Pod", first.metadata, { status: { phase: "Failed" } }, { subresource: "status" });
  await cluster.client.delete("Pod", second.metadata);
  await cluster.settle();
  const active = (await cluster.pods()).filter(({ status }) => status?.phase !== "Failed");
  assert.equal(active.length, 2);
});

test("a ready pod counts as available after minReadySeconds", async () => {
  const clock = manualClock();
  await using cluster = await startCluster([...threeNodes, replicaSet(1, { minReadySeconds: 10 })], { clock });
  const [only] = await cluster.pods();
  assert.ok(only);
  await cluster.setReady(only, true);
  await cluster.settle();
  const counts = async () => {
    const { readyReplicas, availableReplicas } = (await cluster.client.get("ReplicaSet", key))?.status ?? {};
    return [readyReplicas, availableReplicas];
  };
  assert.deepEqual(await counts(), [1, 0]);
  clock.advance(10_000);
  await cluster.settle();
  assert.deepEqual(await counts(), [1, 1]);
});

test("what is created and deleted is told in Events", async () => {
  await using cluster = await startCluster([...threeNodes, replicaSet(1)]);
  await cluster.client.patch("ReplicaSet", key, { spec: { replicas: 0 } });
  await cluster.settle();
  await cluster.controllers.stop();
  const events = (await cluster.client.list("Event", { namespace: "dev" })).items;
  const texts = events.filter(({ involvedObject }) => involvedObject.kind === "ReplicaSet").map(({ reason }) => reason);
  assert.deepEqual(texts, ["SuccessfulCreate", "SuccessfulDelete"]);
});
