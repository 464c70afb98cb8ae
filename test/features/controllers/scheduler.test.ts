import assert from "node:assert/strict";
import { test } from "node:test";
import { findCondition } from "#api/meta/condition.ts";
import { createFakeClient } from "#client/fake.ts";
import { deployment, node, pod, startCluster, threeNodes } from "./cluster.ts";
import { laggingClient } from "./lagging-client.ts";

test("the pods of a Deployment spread evenly although they are placed at once", async () => {
  const client = laggingClient(createFakeClient([...threeNodes, deployment("web", { replicas: 9 })]), () => 0.5);
  await using cluster = await startCluster([], { client });
  do await cluster.settle();
  while (!client.delivered());
  const perNode = Map.groupBy(await cluster.pods(), ({ spec }) => spec.nodeName);
  assert.deepEqual([...perNode].map(([name, pods]) => [name, pods.length]).sort(), [
    ["node-1", 3],
    ["node-2", 3],
    ["node-3", 3],
  ]);
});

test("a pod that no node can take says why, once, and is placed when one can", async () => {
  await using cluster = await startCluster([node("node-1", { unschedulable: true }), pod("web")]);
  const key = { namespace: "dev", name: "web" };
  const scheduled = findCondition((await cluster.client.get("Pod", key))?.status?.conditions, "PodScheduled");
  assert.deepEqual(
    [scheduled?.status, scheduled?.reason, scheduled?.message],
    ["False", "Unschedulable", "0/1 nodes are available: 1 node(s) were unschedulable."],
  );
  await cluster.client.patch("Node", { name: "node-1" }, { metadata: { labels: { note: "x" } } });
  await cluster.settle();
  await cluster.client.patch("Node", { name: "node-1" }, { spec: { unschedulable: false } });
  await cluster.settle();
  assert.equal((await cluster.client.get("Pod", key))?.spec.nodeName, "node-1");
  await cluster.controllers.stop();
  const events = (await cluster.client.list("Event")).items.map(({ reason, message }) => `${reason}: ${message}`);
  assert.deepEqual(events, [
    "FailedScheduling: 0/1 nodes are available: 1 node(s) were unschedulable.",
    "Scheduled: Successfully assigned dev/web to node-1",
  ]);
});

test("a pod of another scheduler is left alone", async () => {
  await using cluster = await startCluster([...threeNodes, pod("web", { spec: { schedulerName: "mine" } })]);
  assert.deepEqual(
    (await cluster.pods()).map(({ spec }) => spec.nodeName),
    [undefined],
  );
});
