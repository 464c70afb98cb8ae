import assert from "node:assert/strict";
import { test } from "node:test";
import { rfc3339Micro } from "#base/clock.ts";
import { findCondition } from "#api/meta/condition.ts";
import { node, pod, startCluster } from "./cluster.ts";
import { manualClock } from "../../fakes/clock.ts";

const name = "node-1";
const leaseKey = { namespace: "kube-node-lease", name };

async function startWithLease(objects: Parameters<typeof startCluster>[0] = []) {
  const clock = manualClock();
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: leaseKey };
  const cluster = await startCluster([node(name), lease, ...objects], { clock });
  const renew = () => cluster.client.patch("Lease", leaseKey, { spec: { renewTime: rfc3339Micro(clock.now()) } });
  const read = async () => {
    const found = await cluster.client.get("Node", { name });
    const taints = (found?.spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
    return { ready: findCondition(found?.status?.conditions, "Ready"), taints };
  };
  const setReady = (status: "True" | "False") =>
    cluster.client.patch("Node", { name }, { status: { conditions: [{ type: "Ready", status }] } });
  return { clock, cluster, renew, read, setReady };
}

test("a node that is silent for 40 seconds is Unknown and unreachable, and recovers with its next word", async () => {
  const { clock, cluster, renew, read, setReady } = await startWithLease();
  await using _ = cluster;
  for (let turn = 0; turn < 6; turn += 1) {
    clock.advance(10_000);
    await renew();
    await cluster.settle();
  }
  clock.advance(39_000);
  await cluster.settle();
  assert.equal((await read()).ready?.status, "True");
  clock.advance(2_000);
  await cluster.settle();
  const { ready, taints } = await read();
  assert.deepEqual([ready?.status, ready?.reason], ["Unknown", "NodeStatusUnknown"]);
  assert.deepEqual(taints, ["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"]);
  await renew();
  await setReady("True");
  await cluster.settle();
  assert.deepEqual((await read()).taints, []);
});

test("a node that is not ready or cordoned is tainted, and others' taints stay", async () => {
  const { cluster, read, setReady } = await startWithLease();
  await using _ = cluster;
  await cluster.client.patch(
    "Node",
    { name },
    { spec: { unschedulable: true, taints: [{ key: "gpu", effect: "NoSchedule" }] } },
  );
  await setReady("False");
  await cluster.settle();
  assert.deepEqual((await read()).taints, [
    "gpu:NoSchedule",
    "node.kubernetes.io/unschedulable:NoSchedule",
    "node.kubernetes.io/not-ready:NoSchedule",
    "node.kubernetes.io/not-ready:NoExecute",
  ]);
  await cluster.client.patch("Node", { name }, { spec: { unschedulable: false } });
  await setReady("True");
  await cluster.settle();
  assert.deepEqual((await read()).taints, ["gpu:NoSchedule"]);
});

test("pods leave an unreachable node when their tolerations end", async () => {
  const toleration = {
    key: "node.kubernetes.io/unreachable",
    operator: "Exists" as const,
    effect: "NoExecute" as const,
  };
  const on = (pod_: string, tolerations: object[]) => pod(pod_, { spec: { nodeName: name, tolerations } });
  const { clock, cluster } = await startWithLease([
    on("at-once", []),
    on("later", [{ ...toleration, tolerationSeconds: 300 }]),
    on("never", [toleration]),
  ]);
  await using _ = cluster;
  const names = async () => (await cluster.pods()).map(({ metadata }) => metadata.name);
  clock.advance(41_000);
  await cluster.settle();
  assert.deepEqual(await names(), ["later", "never"]);
  clock.advance(301_000);
  await cluster.settle();
  assert.deepEqual(await names(), ["never"]);
});

test("the pods of a node that is gone are removed, unless it comes back at once", async () => {
  const { clock, cluster } = await startWithLease([pod("web", { spec: { nodeName: name } })]);
  await using _ = cluster;
  await cluster.client.delete("Node", { name });
  await cluster.settle();
  await cluster.client.create("Node", node(name));
  clock.advance(5_000);
  await cluster.settle();
  assert.equal((await cluster.pods()).length, 1);
  await cluster.client.delete("Node", { name });
  await cluster.settle();
  clock.advance(5_000);
  await cluster.settle();
  assert.deepEqual(await cluster.pods(), []);
});
