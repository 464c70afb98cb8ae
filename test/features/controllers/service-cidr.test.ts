import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#api/core/service/kind.ts";
import { findCondition } from "#api/meta/condition.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { IPAddress } from "#api/networking/ipaddress/kind.ts";
import type { ServiceCIDR } from "#api/networking/servicecidr/kind.ts";
import { canGo } from "#controllers/service-cidr/control.ts";
import { manualClock } from "../../fakes/clock.ts";
import { service, startCluster } from "./cluster.ts";

const finalizer = "networking.k8s.io/service-cidr-finalizer";

function serviceCidr(name: string, ...cidrs: string[]): ServiceCIDR {
  return { apiVersion: "networking.k8s.io/v1", kind: "ServiceCIDR", metadata: { name }, spec: { cidrs } };
}

function address(name: string, owner = "web", labels: Record<string, string> = managed): IPAddress {
  const parentRef = { resource: "services", namespace: "dev", name: owner };
  return { apiVersion: "networking.k8s.io/v1", kind: "IPAddress", metadata: { name, labels }, spec: { parentRef } };
}

const managed = {
  "ipaddress.kubernetes.io/ip-family": "IPv4",
  "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
};

function web(clusterIP: string): Service {
  return service("web", { clusterIP, clusterIPs: [clusterIP] });
}

test("a ServiceCIDR gets its finalizer and says that it is ready", async () => {
  await using cluster = await startCluster([serviceCidr("more", "10.97.0.0/16")]);
  const more = await cluster.client.get("ServiceCIDR", { name: "more" });
  assert.deepEqual(more?.metadata.finalizers, [finalizer]);
  const ready = findCondition(more?.status?.conditions, "Ready");
  assert.deepEqual([ready?.status, ready?.message], ["True", "Kubernetes Service CIDR is ready"]);
});

test("one that is deleted stays for as long as a Service has an address of it", async () => {
  const clock = manualClock();
  const objects = [serviceCidr("more", "10.97.0.0/16"), web("10.97.0.1"), address("10.97.0.1")];
  await using cluster = await startCluster(objects, { clock });
  const { client } = cluster;
  const key = { name: "more" };
  await client.delete("ServiceCIDR", key);
  await cluster.settle();
  const held = findCondition((await client.get("ServiceCIDR", key))?.status?.conditions, "Ready");
  assert.deepEqual(
    [held?.status, held?.reason, held?.message],
    [
      "False",
      "Terminating",
      "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
    ],
  );
  await client.delete("Service", { namespace: "dev", name: "web" });
  await client.delete("IPAddress", { name: "10.97.0.1" });
  await cluster.settle();
  clock.advance(1000);
  await cluster.settle();
  assert.equal(await client.get("ServiceCIDR", key), undefined);
});

const goings: [why: string, expected: boolean, others: ServiceCIDR[], addresses: IPAddress[]][] = [
  ["nothing uses it", true, [], []],
  ["an address is of it", false, [], [address("10.97.0.9")]],
  ["the address is of somebody else's making", true, [], [address("10.97.0.9", "edge", {})]],
  ["the address is of another range", true, [], [address("10.98.0.9")]],
  ["a wider range holds all of it", true, [serviceCidr("wide", "10.96.0.0/12")], [address("10.97.0.9")]],
  ["the same range is there twice", true, [serviceCidr("twin", "10.97.0.0/16")], [address("10.97.0.9")]],
  ["a narrower range holds the address", true, [serviceCidr("narrow", "10.97.0.0/24")], [address("10.97.0.9")]],
  ["a narrower range holds another one", false, [serviceCidr("narrow", "10.97.1.0/24")], [address("10.97.0.9")]],
];
for (const [why, expected, others, addresses] of goings) {
  test(`a ServiceCIDR ${expected ? "may" : "may not"} go: ${why}`, () => {
    const going = serviceCidr("more", "10.97.0.0/16");
    assert.equal(canGo(going, [going, ...others], addresses), expected);
  });
}

/** The reasons of the Events about an object. */
async function reasonsOf(cluster: Awaited<ReturnType<typeof startCluster>>, name: string): Promise<string[]> {
  const { items } = await cluster.client.list("Event");
  return items.filter(({ involvedObject }) => involvedObject.name === name).map(({ reason }) => reason ?? "");
}

const repairs: [what: string, objects: KubeObject[], reasons: string[], owners: (string | undefined)[]][] = [
  ["an address that nobody wrote down is written", [web("10.96.0.9")], ["ClusterIPNotAllocated"], ["web"]],
  ["an address of no range is told", [web("10.200.0.9")], ["ClusterIPOutOfRange"], []],
  ["one that is right is left alone", [web("10.96.0.9"), address("10.96.0.9")], [], ["web"]],
  [
    "one that names a Service that is not there is made anew",
    [web("10.96.0.9"), address("10.96.0.9", "gone")],
    ["ClusterIPNotAllocated"],
    ["web"],
  ],
  [
    "two Services with one address are told",
    [web("10.96.0.9"), address("10.96.0.9", "first"), service("first", { clusterIP: "10.96.0.9" })],
    ["ClusterIPAlreadyAllocated"],
    ["first"],
  ],
  ["labels that were changed are written again", [web("10.96.0.9"), address("10.96.0.9", "web", {})], [], ["web"]],
];
for (const [what, objects, reasons, owners] of repairs) {
  test(`cluster IPs are repaired: ${what}`, async () => {
    await using cluster = await startCluster([serviceCidr("kubernetes", "10.96.0.0/16"), ...objects]);
    assert.deepEqual(await reasonsOf(cluster, "web"), reasons);
    const { items } = await cluster.client.list("IPAddress");
    assert.deepEqual(
      items.map(({ spec }) => spec.parentRef?.name),
      owners,
    );
    for (const { metadata } of items) assert.deepEqual(metadata.labels, managed);
  });
}

test("an IPAddress whose Service never came goes after a minute, and not before", async () => {
  const clock = manualClock();
  await using cluster = await startCluster([serviceCidr("kubernetes", "10.96.0.0/16")], { clock });
  const { client } = cluster;
  const { metadata, spec } = address("10.96.0.9", "never");
  await client.create("IPAddress", { metadata, spec });
  await cluster.settle();
  clock.advance(50_000);
  await cluster.settle();
  assert.notEqual(await client.get("IPAddress", { name: "10.96.0.9" }), undefined);
  clock.advance(11_000);
  await cluster.settle();
  assert.equal(await client.get("IPAddress", { name: "10.96.0.9" }), undefined);
  assert.deepEqual(await reasonsOf(cluster, "10.96.0.9"), ["IPAddressNotAllocated"]);
});
