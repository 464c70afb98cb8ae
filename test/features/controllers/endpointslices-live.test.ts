import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints } from "#api/core/endpoints/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { node, pod, service, startCluster, type TestCluster } from "./cluster.ts";

const web = { namespace: "dev", name: "web" };
const slicesOf = async (cluster: TestCluster): Promise<readonly EndpointSlice[]> =>
  (await cluster.client.list("EndpointSlice", { labelSelector: "kubernetes.io/service-name=web" })).items;

function labelled(labels: Record<string, string>) {
  const object = service("web", { clusterIP: "None" });
  return { ...object, metadata: { ...object.metadata, uid: "uid-web", labels } };
}

test("a slice carries the Service's labels and owner, and the reserved labels as they must be", async () => {
  const mine = { team: "a", "endpointslice.kubernetes.io/managed-by": "me" };
  await using cluster = await startCluster([labelled(mine)]);
  const [slice] = await slicesOf(cluster);
  assert.deepEqual(slice?.metadata.labels, {
    team: "a",
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    "service.kubernetes.io/headless": "",
  });
  assert.deepEqual(slice?.metadata.ownerReferences, [
    { apiVersion: "v1", kind: "Service", name: "web", uid: "uid-web", controller: true, blockOwnerDeletion: true },
  ]);
  await cluster.client.patch("Service", web, { metadata: { labels: { team: "b" } } });
  await cluster.settle();
  assert.equal((await slicesOf(cluster))[0]?.metadata.labels?.["team"], "b");
});

test("a pod that becomes ready, unready, or changes its labels changes the slice in one write", async () => {
  await using cluster = await startCluster([node("node-1"), service("web"), pod("a")]);
  const [a] = await cluster.pods();
  assert.ok(a);
  const generation = async () =>
    (await slicesOf(cluster)).map(({ endpoints }) => endpoints.map((each) => each.conditions?.ready));
  await cluster.setReady(a, true);
  await cluster.settle();
  assert.deepEqual(await generation(), [[true]]);
  await cluster.setReady(a, false);
  await cluster.settle();
  assert.deepEqual(await generation(), [[false]]);
  await cluster.client.patch("Pod", a.metadata, { metadata: { labels: { app: "x" } } });
  await cluster.settle();
  assert.deepEqual(await generation(), [[]]);
});

test("a change of a pod that no endpoint shows writes nothing", async () => {
  await using cluster = await startCluster([node("node-1"), service("web"), pod("a")]);
  const [a] = await cluster.pods();
  assert.ok(a);
  await cluster.setReady(a, true);
  await cluster.settle();
  const before = (await slicesOf(cluster))[0]?.metadata.resourceVersion;
  await cluster.client.patch("Pod", a.metadata, { metadata: { annotations: { note: "x" } } });
  await cluster.settle();
  assert.equal((await slicesOf(cluster))[0]?.metadata.resourceVersion, before);
});

test("a slice that is deleted or edited by hand is restored", async () => {
  await using cluster = await startCluster([node("node-1"), service("web"), pod("a")]);
  const [a] = await cluster.pods();
  assert.ok(a);
  await cluster.setReady(a, true);
  await cluster.settle();
  const [slice] = await slicesOf(cluster);
  assert.ok(slice);
  await cluster.client.patch("EndpointSlice", slice.metadata, { endpoints: [] });
  await cluster.settle();
  assert.equal((await slicesOf(cluster))[0]?.endpoints.length, 1);
  await cluster.client.delete("EndpointSlice", slice.metadata);
  await cluster.settle();
  assert.deepEqual(
    (await slicesOf(cluster)).map(({ endpoints }) => endpoints.length),
    [1],
  );
});

test("a pod waits for its node, and a change of the node's zone shows", async () => {
  const bound = pod("a", {
    spec: { nodeName: "node-9" },
    status: { podIP: "10.244.0.9", podIPs: [{ ip: "10.244.0.9" }] },
  });
  await using cluster = await startCluster([service("web"), bound]);
  assert.deepEqual(
    (await slicesOf(cluster)).map(({ endpoints }) => endpoints.length),
    [0],
  );
  await cluster.client.create("Node", node("node-9"));
  await cluster.settle();
  await cluster.client.patch(
    "Node",
    { name: "node-9" },
    { metadata: { labels: { "topology.kubernetes.io/zone": "z1" } } },
  );
  await cluster.settle();
  assert.deepEqual(
    (await slicesOf(cluster)).map(({ endpoints }) => endpoints.map(({ zone }) => zone)),
    [["z1"]],
  );
});

test("hand-made Endpoints of a Service without selector are mirrored, and no longer when it gets one", async () => {
  const source: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { ...web, labels: { team: "a" }, annotations: { note: "x" } },
    subsets: [
      {
        addresses: [{ ip: "192.0.2.1" }, { ip: "2001:db8::1" }, { ip: "nonsense" }],
        notReadyAddresses: [{ ip: "192.0.2.2" }],
        ports: [{ port: 80, protocol: "TCP" }],
      },
    ],
  };
  await using cluster = await startCluster([service("web", { selector: undefined }), source]);
  const texts = (await slicesOf(cluster)).map(
    ({ addressType, endpoints }) =>
      `${addressType} ${endpoints.map((each) => `${each.addresses.join()}=${each.conditions?.ready}`).join(" ")}`,
  );
  assert.deepEqual(texts.sort(), ["IPv4 192.0.2.1=true 192.0.2.2=false", "IPv6 2001:db8::1=true"]);
  const [slice] = await slicesOf(cluster);
  assert.equal(
    slice?.metadata.labels?.["endpointslice.kubernetes.io/managed-by"],
    "endpointslicemirroring-controller.k8s.io",
  );
  assert.deepEqual([slice?.metadata.labels?.["team"], slice?.metadata.annotations], ["a", { note: "x" }]);
  await cluster.client.patch("Service", web, { spec: { selector: { app: "web" } } });
  await cluster.settle();
  const managers = (await slicesOf(cluster)).map(
    ({ metadata }) => metadata.labels?.["endpointslice.kubernetes.io/managed-by"],
  );
  assert.deepEqual(managers, ["endpointslice-controller.k8s.io"]);
});

test("Endpoints that ask not to be mirrored are not", async () => {
  const skipped = { "endpointslice.kubernetes.io/skip-mirror": "true" };
  const subsets = [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 80 }] }];
  const source = {
    apiVersion: "v1" as const,
    kind: "Endpoints" as const,
    metadata: { ...web, labels: skipped },
    subsets,
  };
  await using cluster = await startCluster([service("web", { selector: undefined }), source]);
  assert.deepEqual(await slicesOf(cluster), []);
});
