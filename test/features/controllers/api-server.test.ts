import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { kinds } from "#api/kinds.ts";
import { createLocalClient } from "#apiserver/local.ts";
import { openRegistry } from "#apiserver/registry/registry.ts";
import { createNodePortAllocator } from "#controllers/node-port/admission.ts";
import { createServiceIpAllocator } from "#controllers/service-ip/allocator.ts";
import { startControllers } from "#controllers/start.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { deployment, imagePatch, node, service, startCluster } from "./cluster.ts";

const web = { namespace: "dev", name: "web" };

/** The controllers over the real registry, with its defaults, validation and admission, and a log that counts warnings. */
async function startStack() {
  const ips = createServiceIpAllocator({
    families: ["IPv4"],
    client: () => client,
    log: silentLog,
    clock: systemClock,
  });
  const ports = createNodePortAllocator();
  const store = createMemoryStore();
  const registry = await openRegistry({ store, definitions: kinds, admissions: [ips, ports] });
  const client = createLocalClient(registry, { name: "admin", groups: ["system:masters"] });
  await client.create("ServiceCIDR", { metadata: { name: "kubernetes" }, spec: { cidrs: ["10.96.0.0/12"] } });
  await ips.open();
  const cluster = await startCluster([], { client });
  await client.create("Namespace", { metadata: { name: "dev" } });
  for (const name of ["node-1", "node-2"]) {
    const { status } = node(name);
    await client.create("Node", { metadata: { name } });
    await client.patch("Node", { name }, { status }, { subresource: "status" });
  }
  await cluster.settle();
  return {
    cluster,
    client,
    registry,
    taken: () => [ips.taken, ports.taken],
    /** What nodes' agents do: pods that have a node get ready, pods that are deleted end. */
    runPods: async () => {
      for (let round = 0; round < 60; round += 1) {
        const pods = await cluster.pods();
        const going = pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        const fresh = pods.filter((pod) => !going.includes(pod) && pod.spec.nodeName && !pod.status?.podIP);
        if (going.length + fresh.length === 0) return;
        for (const pod of going) await client.delete("Pod", pod.metadata, { gracePeriodSeconds: 0 });
        for (const pod of fresh) await cluster.setReady(pod, true);
        await cluster.settle();
      }
      assert.fail("the pods did not come to rest in 60 rounds");
    },
    async [Symbol.asyncDispose]() {
      await cluster.controllers.stop();
      ips.stop();
      registry.stop();
      await store.close();
    },
  };
}

test("with the real API: a Deployment runs, rolls out and serves its Service's endpoints", async () => {
  await using stack = await startStack();
  const { client, cluster, runPods } = stack;
  await client.create("Service", service("web"));
  await client.create("Deployment", deployment("web"));
  await cluster.settle();
  await runPods();
  await client.patch("Deployment", web, imagePatch("web:2"));
  await cluster.settle();
  await runPods();
  const pods = await cluster.pods();
  assert.deepEqual(
    pods.map(({ spec }: Pod) => spec.containers[0]?.image),
    ["web:2", "web:2", "web:2"],
  );
  const status = (await client.get("Deployment", web))?.status;
  assert.deepEqual([status?.availableReplicas, status?.updatedReplicas, status?.unavailableReplicas], [3, 3, 0]);
  const [slice] = (await client.list("EndpointSlice", { namespace: "dev" })).items;
  assert.deepEqual(
    slice?.endpoints.map(({ addresses }) => addresses[0]).sort(),
    pods.map((pod) => pod.status?.podIP).sort(),
  );
});

test("with the real API: controllers that start again over a settled cluster write nothing", async () => {
  await using stack = await startStack();
  const { client, cluster, registry, runPods } = stack;
  await client.create("Service", service("web"));
  await client.create("Deployment", deployment("web"));
  await cluster.settle();
  await runPods();
  await cluster.controllers.stop();
  const before = registry.revision();
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => void warnings.push(message), child: () => log };
  await using again = await startCluster([], { client });
  await again.settle();
  assert.equal(registry.revision(), before);
  const third = await startControllers({ client, log, clock: systemClock });
  await third.idle();
  await third.stop();
  assert.deepEqual(warnings, []);
});

test("with the real API: a Service's address and ports follow its type", async () => {
  await using stack = await startStack();
  const { client, taken } = stack;
  await client.create("Service", service("web"));
  const address = (await client.get("Service", web))?.spec.clusterIP;
  assert.deepEqual(taken(), [1, 0]);
  await client.patch("Service", web, { spec: { type: "LoadBalancer", externalTrafficPolicy: "Local" } });
  assert.deepEqual(taken(), [1, 2]);
  await client.patch("Service", web, { spec: { type: "ClusterIP" } });
  assert.deepEqual(taken(), [1, 0]);
  assert.equal((await client.get("Service", web))?.spec.clusterIP, address);
  await client.patch("Service", web, { spec: { type: "ExternalName", externalName: "example.com" } });
  assert.deepEqual(taken(), [0, 0]);
});

test("with the real API: a deleted namespace goes with all it holds and gives everything back", async () => {
  await using stack = await startStack();
  const { client, cluster, runPods, taken } = stack;
  await client.create("Service", service("web", { type: "NodePort" }));
  await client.create("Deployment", deployment("web"));
  await cluster.settle();
  await runPods();
  await client.delete("Namespace", { name: "dev" });
  await cluster.settle();
  await runPods();
  await cluster.settle();
  assert.equal(await client.get("Namespace", { name: "dev" }), undefined);
  for (const kind of ["Pod", "ReplicaSet", "EndpointSlice", "ConfigMap"] as const) {
    assert.deepEqual((await client.list(kind, { namespace: "dev" })).items, [], kind);
  }
  assert.deepEqual(taken(), [0, 0]);
});
