import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment } from "#api/apps/deployment/kind.ts";
import type { ReplicaSet } from "#api/apps/replicaset/kind.ts";
import { findCondition } from "#api/meta/condition.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { deployment, imagePatch, startCluster, threeNodes, type TestCluster } from "./cluster.ts";
import { manualClock } from "../../fakes/clock.ts";

const web = { namespace: "dev", name: "web" };
const imageOf = (pod: Pod) => pod.spec.containers[0]?.image;

async function rollOut(cluster: TestCluster): Promise<void> {
  for (let round = 0; round < 50; round += 1) {
    const waiting = (await cluster.pods()).filter(({ status }) => status?.podIP === undefined);
    if (waiting.length === 0) return;
    for (const pod of waiting) await cluster.setReady(pod, true);
    await cluster.settle();
  }
  throw new Error("the rollout did not end in 50 rounds");
}

async function current(cluster: TestCluster): Promise<Deployment> {
  const found = await cluster.client.get("Deployment", web);
  assert.ok(found);
  return found;
}

test("a Deployment gets its pods, on nodes, with names like upstream's", async () => {
  await using cluster = await startCluster([...threeNodes, deployment("web")]);
  const pods = await cluster.pods();
  assert.equal(pods.length, 3);
  for (const { metadata } of pods) assert.match(metadata.name, /^web-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[a-z0-9]{5}$/);
  assert.deepEqual(new Set(pods.map(({ spec }) => spec.nodeName)), new Set(["node-1", "node-2", "node-3"]));
  const hash = pods[0]?.metadata.labels?.["pod-template-hash"];
  const [replicaSet] = (await cluster.client.list("ReplicaSet")).items;
  assert.equal(replicaSet?.metadata.name, `web-${hash}`);
  assert.equal(replicaSet?.spec.selector.matchLabels?.["pod-template-hash"], hash);
});

test("a finished rollout says so in status, in upstream's words", async () => {
  await using cluster = await startCluster([...threeNodes, deployment("web")]);
  const before = await current(cluster);
  assert.equal(findCondition(before.status?.conditions, "Available")?.reason, "MinimumReplicasUnavailable");
  await rollOut(cluster);
  const { status, metadata } = await current(cluster);
  const { replicas, updatedReplicas, readyReplicas, availableReplicas, unavailableReplicas, observedGeneration } =
    status ?? {};
  assert.deepEqual(
    [replicas, updatedReplicas, readyReplicas, availableReplicas, unavailableReplicas, observedGeneration],
    [3, 3, 3, 3, 0, metadata.generation],
  );
  const progressing = findCondition(status?.conditions, "Progressing");
  const [replicaSet] = (await cluster.client.list("ReplicaSet")).items;
  assert.equal(progressing?.reason, "NewReplicaSetAvailable");
  assert.equal(progressing?.message, `ReplicaSet "${replicaSet?.metadata.name}" has successfully progressed.`);
  assert.equal(findCondition(status?.conditions, "Available")?.status, "True");
});

test("a new template replaces all pods, and the old one coming back gets a new revision", async () => {
  await using cluster = await startCluster([...threeNodes, deployment("web")]);
  await rollOut(cluster);
  await cluster.client.patch("Deployment", web, imagePatch("web:2"));
  await cluster.settle();
  await rollOut(cluster);
  assert.deepEqual((await cluster.pods()).map(imageOf), ["web:2", "web:2", "web:2"]);
  assert.equal((await current(cluster)).metadata.annotations?.["deployment.kubernetes.io/revision"], "2");
  await cluster.client.patch("Deployment", web, imagePatch("web:1"));
  await cluster.settle();
  await rollOut(cluster);
  assert.deepEqual((await cluster.pods()).map(imageOf), ["web:1", "web:1", "web:1"]);
  assert.equal((await current(cluster)).metadata.annotations?.["deployment.kubernetes.io/revision"], "3");
  const sets = (await cluster.client.list("ReplicaSet")).items;
  const back = sets.find(({ spec }) => spec.replicas === 3);
  assert.equal(sets.length, 2);
  assert.equal(back?.metadata.annotations?.["deployment.kubernetes.io/revision-history"], "1");
});

test("no more old ReplicaSets are kept than revisionHistoryLimit allows", async () => {
  await using cluster = await startCluster([...threeNodes, deployment("web", { revisionHistoryLimit: 1 })]);
  for (const image of ["web:2", "web:3", "web:4"]) {
    await rollOut(cluster);
    await cluster.client.patch("Deployment", web, imagePatch(image));
    await cluster.settle();
  }
  await rollOut(cluster);
  const images = (await cluster.client.list("ReplicaSet")).items.map(
    ({ spec }) => spec.template?.spec.containers[0]?.image,
  );
  assert.deepEqual(images.sort(), ["web:3", "web:4"]);
});

test("Recreate starts no new pod while an old one lives", async () => {
  const cluster = await startCluster([...threeNodes, deployment("web", { strategy: { type: "Recreate" } })]);
  await using _ = cluster;
  await rollOut(cluster);
  const [held] = await cluster.pods();
  assert.ok(held);
  await cluster.client.patch("Pod", held.metadata, { metadata: { finalizers: ["example.com/hold"] } });
  await cluster.client.patch("Deployment", web, imagePatch("web:2"));
  await cluster.settle();
  assert.deepEqual(
    (await cluster.pods()).map(({ metadata }) => metadata.name),
    [held.metadata.name],
  );
  await cluster.client.patch("Pod", held.metadata, { metadata: { finalizers: [] } });
  await cluster.settle();
  assert.deepEqual((await cluster.pods()).map(imageOf), ["web:2", "web:2", "web:2"]);
});

test("a paused Deployment scales but does not roll out, and goes on when resumed", async () => {
  await using cluster = await startCluster([...threeNodes, deployment("web")]);
  await rollOut(cluster);
  await cluster.client.patch("Deployment", web, { spec: { paused: true, replicas: 4, ...imagePatch("web:2").spec } });
  await cluster.settle();
  await rollOut(cluster);
  assert.deepEqual((await cluster.pods()).map(imageOf), ["web:1", "web:1", "web:1", "web:1"]);
  assert.equal(findCondition((await current(cluster)).status?.conditions, "Progressing")?.reason, "DeploymentPaused");
  await cluster.client.patch("Deployment", web, { spec: { paused: false } });
  await cluster.settle();
  await rollOut(cluster);
  assert.deepEqual(new Set((await cluster.pods()).map(imageOf)), new Set(["web:2"]));
});

test("scaling in the middle of a rollout shares the new pods among old and new", async () => {
  const strategy = { rollingUpdate: { maxSurge: 2, maxUnavailable: 2 } };
  await using cluster = await startCluster([...threeNodes, deployment("web", { replicas: 10, strategy })]);
  await rollOut(cluster);
  await cluster.client.patch("Deployment", web, imagePatch("web:2"));
  await cluster.settle();
  await cluster.client.patch("Deployment", web, { spec: { replicas: 20 } });
  await cluster.settle();
  const pods = await cluster.pods();
  const olds = pods.filter((pod) => imageOf(pod) === "web:1").length;
  assert.equal(pods.length, 22);
  assert.ok(olds >= 14 && olds <= 16, `${olds} old pods`);
  await rollOut(cluster);
  assert.deepEqual((await cluster.pods()).map(imageOf), new Array<string>(20).fill("web:2"));
});

test("a rollout that does not move within its deadline is told as stuck", async () => {
  const clock = manualClock();
  await using cluster = await startCluster([...threeNodes, deployment("web", { progressDeadlineSeconds: 60 })], {
    clock,
  });
  clock.advance(30_000);
  await cluster.settle();
  assert.notEqual(findCondition((await current(cluster)).status?.conditions, "Progressing")?.status, "False");
  clock.advance(40_000);
  await cluster.settle();
  const progressing = findCondition((await current(cluster)).status?.conditions, "Progressing");
  assert.equal(progressing?.reason, "ProgressDeadlineExceeded");
  assert.match(progressing?.message ?? "", /^ReplicaSet "web-[a-z0-9]+" has timed out progressing\.$/);
  await rollOut(cluster);
  assert.equal(
    findCondition((await current(cluster)).status?.conditions, "Progressing")?.reason,
    "NewReplicaSetAvailable",
  );
});

test("a name taken by another template is avoided by counting the collision", async () => {
  const cluster = await startCluster([...threeNodes, deployment("web")]);
  await using _ = cluster;
  const [taken] = (await cluster.client.list("ReplicaSet")).items;
  assert.ok(taken);
  const foreign: ReplicaSet = {
    ...taken,
    metadata: { ...taken.metadata, ownerReferences: [], labels: {} },
    spec: { ...taken.spec, replicas: 0 },
  };
  await using other = await startCluster([...threeNodes, foreign, deployment("web")]);
  assert.equal((await current(other)).status?.collisionCount, 1);
  assert.equal((await other.pods()).length, 3);
});
