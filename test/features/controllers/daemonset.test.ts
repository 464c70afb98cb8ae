import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonSet, DaemonSetSpec } from "#api/apps/daemonset/kind.ts";
import { createLocalClient } from "#apiserver/local.ts";
import { openRegistry } from "#apiserver/registry/registry.ts";
import { kinds } from "#api/kinds.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { manualClock } from "../../fakes/clock.ts";
import { imagePatch, node, startCluster } from "./cluster.ts";

const agent = { namespace: "dev", name: "agent" };

function daemonSet(spec: Partial<DaemonSetSpec> = {}): DaemonSet {
  const labels = { app: "agent" };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: agent,
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } },
      ...spec,
    },
  };
}

/** The controllers over the real API with three nodes, and what the nodes' agents do. */
async function startNodes() {
  const clock = manualClock();
  const registry = await openRegistry({ store: createMemoryStore(), definitions: kinds, clock });
  const client = createLocalClient(registry, { name: "admin", groups: ["system:masters"] });
  await client.create("Namespace", { metadata: { name: "dev" } });
  const cluster = await startCluster([], { client, clock });
  const addNode = async (name: string) => {
    await client.create("Node", { metadata: { name } });
    await client.patch("Node", { name }, { status: node(name).status }, { subresource: "status" });
    await cluster.settle();
  };
  for (const name of ["node-1", "node-2", "node-3"]) await addNode(name);
  return {
    ...cluster,
    clock,
    addNode,
    /** One round: pods that are ending end, and pods that have a node work. Says whether anything was to be done. */
    async round(): Promise<boolean> {
      const pods = await cluster.pods();
      const going = pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      const fresh = pods.filter((pod) => !going.includes(pod) && pod.spec.nodeName && !pod.status?.podIP);
      for (const pod of going) await client.delete("Pod", pod.metadata, { gracePeriodSeconds: 0 });
      for (const pod of fresh) await cluster.setReady(pod, true);
      await cluster.settle();
      return going.length + fresh.length > 0;
    },
    async rest() {
      for (let count = 0; count < 40; count += 1) if (!(await this.round())) return;
      assert.fail("the pods did not come to rest in 40 rounds");
    },
    set: async () => (await client.get("DaemonSet", agent)) as DaemonSet,
    revisions: async () => (await client.list("ControllerRevision")).items,
    async [Symbol.asyncDispose]() {
      await cluster.controllers.stop();
      registry.stop();
    },
  };
}

test("a DaemonSet has a pod on every node, by affinity, and its status says so", async () => {
  await using cluster = await startNodes();
  const { client } = cluster;
  await client.create("DaemonSet", daemonSet());
  await cluster.settle();
  await cluster.rest();
  const pods = await cluster.pods();
  assert.deepEqual(pods.map(({ spec }) => spec.nodeName).sort(), ["node-1", "node-2", "node-3"]);
  const [revision] = await cluster.revisions();
  for (const { metadata } of pods) {
    assert.match(metadata.name, /^agent-[a-z0-9]{5}$/);
    assert.equal(
      metadata.labels?.["controller-revision-hash"],
      revision?.metadata.labels?.["controller-revision-hash"],
    );
    assert.equal(metadata.labels?.["pod-template-generation"], "1");
  }
  const { status } = await cluster.set();
  assert.deepEqual(status, {
    currentNumberScheduled: 3,
    desiredNumberScheduled: 3,
    numberAvailable: 3,
    numberMisscheduled: 0,
    numberReady: 3,
    observedGeneration: 1,
    updatedNumberScheduled: 3,
  });
});

test("nodes that come get a pod, nodes that no longer fit lose theirs, and a deleted pod comes again", async () => {
  await using cluster = await startNodes();
  const { client } = cluster;
  await client.create("DaemonSet", daemonSet());
  await cluster.settle();
  await cluster.addNode("node-4");
  await cluster.rest();
  assert.equal((await cluster.pods()).length, 4);
  const [first] = await cluster.pods();
  assert.ok(first);
  await client.delete("Pod", first.metadata);
  await client.patch("Node", { name: "node-4" }, { spec: { taints: [{ key: "gpu", effect: "NoExecute" }] } });
  await cluster.settle();
  await cluster.rest();
  const pods = await cluster.pods();
  assert.deepEqual(pods.map(({ spec }) => spec.nodeName).sort(), ["node-1", "node-2", "node-3"]);
  assert.ok(!pods.some(({ metadata }) => metadata.uid === first.metadata.uid));
  assert.equal((await cluster.set()).status?.desiredNumberScheduled, 3);
});

test("a new template is rolled out node by node, never more than one missing", async () => {
  await using cluster = await startNodes();
  const { client } = cluster;
  await client.create("DaemonSet", daemonSet());
  await cluster.settle();
  await cluster.rest();
  await client.patch("DaemonSet", agent, imagePatch("web:2"));
  await cluster.settle();
  for (let more = true; more;) {
    const available = (await cluster.set()).status?.numberAvailable ?? 0;
    assert.ok(available >= 2, `${available} available`);
    more = await cluster.round();
  }
  const images = (await cluster.pods()).map(({ spec }) => spec.containers[0]?.image);
  assert.deepEqual(images, ["web:2", "web:2", "web:2"]);
  const { status } = await cluster.set();
  assert.deepEqual([status?.observedGeneration, status?.updatedNumberScheduled], [2, 3]);
  assert.deepEqual((await cluster.revisions()).map(({ revision }) => revision).sort(), [1, 2]);
});

test("with a surge no pod is ever missing", async () => {
  await using cluster = await startNodes();
  const { client } = cluster;
  const updateStrategy = { type: "RollingUpdate" as const, rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
  await client.create("DaemonSet", daemonSet({ updateStrategy }));
  await cluster.settle();
  await cluster.rest();
  await client.patch("DaemonSet", agent, imagePatch("web:2"));
  await cluster.settle();
  let most = 0;
  for (let more = true; more;) {
    assert.equal((await cluster.set()).status?.numberAvailable, 3);
    most = Math.max(most, (await cluster.pods()).length);
    more = await cluster.round();
  }
  assert.ok(most > 3, "a second pod came first");
  const images = (await cluster.pods()).map(({ spec }) => spec.containers[0]?.image);
  assert.deepEqual(images, ["web:2", "web:2", "web:2"]);
});

test("with OnDelete a pod changes when it is deleted", async () => {
  await using cluster = await startNodes();
  const { client } = cluster;
  await client.create("DaemonSet", daemonSet({ updateStrategy: { type: "OnDelete" } }));
  await cluster.settle();
  await cluster.rest();
  await client.patch("DaemonSet", agent, imagePatch("web:2"));
  await cluster.settle();
  await cluster.rest();
  const [first] = await cluster.pods();
  assert.equal(first?.spec.containers[0]?.image, "web:1");
  assert.equal((await cluster.set()).status?.updatedNumberScheduled ?? 0, 0);
  await client.delete("Pod", first.metadata);
  await cluster.settle();
  await cluster.rest();
  const images = (await cluster.pods()).map(({ spec }) => spec.containers[0]?.image).sort();
  assert.deepEqual(images, ["web:1", "web:1", "web:2"]);
});

test("a template that was there before takes its revision up again, and old revisions go beyond the limit", async () => {
  await using cluster = await startNodes();
  const { client } = cluster;
  await client.create("DaemonSet", daemonSet({ revisionHistoryLimit: 1 }));
  for (const image of ["web:2", "web:3", "web:2"]) {
    await cluster.settle();
    await cluster.rest();
    await client.patch("DaemonSet", agent, imagePatch(image));
  }
  await cluster.settle();
  await cluster.rest();
  const revisions = (await cluster.revisions()).toSorted((a, b) => a.revision - b.revision);
  const images = revisions.map(({ data, revision }) => {
    const template = (data as { spec: { template: { spec: { containers: { image: string }[] } } } }).spec.template;
    return [revision, template.spec.containers[0]?.image];
  });
  assert.deepEqual(images, [
    [3, "web:3"],
    [4, "web:2"],
  ]);
});

test("a pod that fails again and again is replaced at a growing distance", async () => {
  await using cluster = await startNodes();
  const { client, clock } = cluster;
  await client.create("DaemonSet", daemonSet());
  await cluster.settle();
  await cluster.rest();
  const failOn = async (name: string) => {
    const pod = (await cluster.pods()).find(({ spec }) => spec.nodeName === name);
    assert.ok(pod);
    await client.patch("Pod", pod.metadata, { status: { phase: "Failed" } }, { subresource: "status" });
    await cluster.settle();
    await cluster.rest();
    return pod.metadata.uid;
  };
  const has = async (uid: string | undefined) => (await cluster.pods()).some(({ metadata }) => metadata.uid === uid);
  assert.equal(await has(await failOn("node-1")), false, "the first one goes at once");
  const second = await failOn("node-1");
  assert.equal(await has(second), true);
  clock.advance(1000);
  await cluster.settle();
  await cluster.rest();
  assert.equal(await has(second), false);
  const reasons = (await client.list("Event")).items.map(({ reason }) => reason);
  assert.ok(reasons.includes("FailedDaemonPod"));
});

test("what a deleted DaemonSet leaves goes with it", async () => {
  await using cluster = await startNodes();
  const { client } = cluster;
  await client.create("DaemonSet", daemonSet());
  await cluster.settle();
  await cluster.rest();
  await client.delete("DaemonSet", agent);
  await cluster.settle();
  await cluster.rest();
  assert.deepEqual([await cluster.pods(), await cluster.revisions()], [[], []]);
});
