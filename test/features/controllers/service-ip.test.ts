import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { IpFamily, ServiceSpec } from "#api/core/service/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import { createFakeClient } from "#client/fake.ts";
import { createServiceIpAllocator } from "#controllers/service-ip/allocator.ts";
import { service } from "./cluster.ts";
import { requestsTo } from "./requests.ts";

function serviceCidr(name: string, ...cidrs: string[]): KubeObject {
  return { apiVersion: "networking.k8s.io/v1", kind: "ServiceCIDR", metadata: { name }, spec: { cidrs } } as KubeObject;
}

/** The admission over a fake API with one ServiceCIDR and what else there is. */
async function allocator(range = "10.96.0.0/16", random = () => 0, objects: readonly KubeObject[] = []) {
  const client = createFakeClient([serviceCidr("kubernetes", range), ...objects], systemClock);
  const families: [IpFamily] = [range.includes(":") ? "IPv6" : "IPv4"];
  const options = { families, client: () => client, log: silentLog, clock: systemClock, random };
  const allocation = createServiceIpAllocator(options);
  const twice = await allocation.open();
  const addresses = async () => (await client.list("IPAddress")).items;
  return { allocation, client, twice, addresses, ...requestsTo(allocation, { client }) };
}

test("a Service gets an address from the upper band, its family fields and an IPAddress", async () => {
  const { create, addresses } = await allocator();
  const { spec } = await create(service("web"));
  assert.equal(spec.clusterIP, "10.96.1.1");
  assert.deepEqual([spec.clusterIPs, spec.ipFamilies, spec.ipFamilyPolicy], [["10.96.1.1"], ["IPv4"], "SingleStack"]);
  const [address] = await addresses();
  assert.deepEqual(
    [address?.metadata.name, address?.metadata.labels, address?.spec],
    [
      "10.96.1.1",
      {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
      },
      { parentRef: { group: "", resource: "services", namespace: "dev", name: "web" } },
    ],
  );
});

test("the lower band is used when the upper one is full, and a full range is an internal error", async () => {
  const { create, allocation } = await allocator("10.0.0.0/27", () => 0.99);
  const first = await create(service("s0"));
  assert.ok(Number(first.spec.clusterIP?.split(".")[3]) > 16);
  for (let index = 1; index < 30; index += 1) await create(service(`s${index}`));
  assert.equal(allocation.taken, 30);
  await assert.rejects(create(service("late")), {
    reason: "InternalError",
    code: 500,
    message: 'Internal error occurred: failed to allocate a serviceIP for Service "dev/late": range is full',
  });
});

const refusals: [why: string, spec: Partial<ServiceSpec>, message: string][] = [
  [
    "taken",
    { clusterIP: "10.96.0.10" },
    'spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
  ],
  [
    "out of range",
    { clusterIP: "10.97.0.10" },
    'spec.clusterIPs: Invalid value: ["10.97.0.10"]: failed to allocate IP 10.97.0.10: the provided network does not match the current range',
  ],
  [
    "the network's own address",
    { clusterIP: "10.96.0.0" },
    'spec.clusterIPs: Invalid value: ["10.96.0.0"]: failed to allocate IP 10.96.0.0: the provided IP (10.96.0.0) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
  ],
  [
    "dual stack required",
    { ipFamilyPolicy: "RequireDualStack" },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
  [
    "a family that is absent",
    { ipFamilies: ["IPv6"] },
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  ],
  [
    "an address of a family that is absent",
    { clusterIP: "fd00::1" },
    'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
  ],
];
for (const [why, spec, message] of refusals) {
  test(`a cluster IP is refused in upstream's words: ${why}`, async () => {
    const { create } = await allocator();
    await create(service("dns", { clusterIP: "10.96.0.10" }));
    const expected = new ApiError("Invalid", `Service "web" is invalid: ${message}`);
    await assert.rejects(create(service("web", spec)), { message: expected.message, code: 422 });
  });
}

test("headless Services take no address; without selector they list both families", async () => {
  const { create, allocation } = await allocator();
  const chosen = await create(service("a", { clusterIP: "None" }));
  const bare = await create(service("b", { clusterIP: "None", selector: undefined }));
  assert.equal(allocation.taken, 0);
  assert.deepEqual([chosen.spec.ipFamilies, chosen.spec.ipFamilyPolicy], [["IPv4"], "SingleStack"]);
  assert.deepEqual([bare.spec.ipFamilies, bare.spec.ipFamilyPolicy], [["IPv4", "IPv6"], "RequireDualStack"]);
});

test("PreferDualStack quietly yields the one family there is", async () => {
  const { create } = await allocator();
  const { spec } = await create(service("web", { ipFamilyPolicy: "PreferDualStack" }));
  assert.deepEqual([spec.ipFamilies, spec.ipFamilyPolicy, spec.clusterIPs?.length], [["IPv4"], "PreferDualStack", 1]);
});

test("an address comes back with the Service, with ExternalName, and when a write fails", async () => {
  const { create, update, delete: remove, allocation } = await allocator();
  await create(service("failed"), { committed: false });
  await create(service("dry"), { dryRun: true });
  assert.equal(allocation.taken, 0);
  const web = await create(service("web", { clusterIP: "10.96.0.7" }));
  const external = { ...web, spec: { type: "ExternalName" as const, externalName: "example.com" } };
  await update(web, external, { committed: false });
  assert.equal(allocation.taken, 1);
  await update(web, external);
  assert.equal(allocation.taken, 0);
  const again = await update(external, service("web"));
  assert.equal(allocation.taken, 1);
  await remove(again);
  assert.equal(allocation.taken, 0);
});

test("a second Service of the same name cannot free the address of the first", async () => {
  const { create, allocation } = await allocator();
  await create(service("web", { clusterIP: "10.96.0.7" }));
  await assert.rejects(create(service("web", { clusterIP: "10.96.0.7" })), { reason: "Invalid" });
  assert.equal(allocation.taken, 1);
});

test("a Service that lingers for a finalizer keeps its address until that is gone", async () => {
  const { create, update, delete: remove, allocation } = await allocator();
  const web = await create(service("web"));
  const held = { ...web, metadata: { ...web.metadata, finalizers: ["example.com/hold"] } };
  await remove(held);
  assert.equal(allocation.taken, 1);
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  await update(held, { ...held, metadata: { ...held.metadata, deletionTimestamp, finalizers: [] } });
  assert.equal(allocation.taken, 0);
});

test("an update that names no address keeps the one the Service has", async () => {
  const { create, update, allocation } = await allocator();
  const web = await create(service("web"));
  const { spec } = await update(web, service("web"));
  assert.equal(spec.clusterIP, web.spec.clusterIP);
  assert.equal(allocation.taken, 1);
});

test("Services from before there were IPAddresses get theirs, and doubles are told", async () => {
  const [first, second] = [service("a", { clusterIP: "10.96.0.7" }), service("b", { clusterIP: "10.96.0.7" })];
  const objects = [first, second, service("c", { clusterIP: "None" })];
  const { allocation, twice, addresses } = await allocator("10.96.0.0/16", () => 0, objects);
  assert.deepEqual(
    twice.map(({ metadata }) => metadata.name),
    ["b"],
  );
  assert.equal(allocation.taken, 1);
  assert.equal((await addresses())[0]?.spec.parentRef?.name, "a");
});

test("a wide range is neither scanned nor held in memory, empty or nearly full", async () => {
  const { create, addresses } = await allocator("fd00::/64", () => 0.5);
  const { spec } = await create(service("web"));
  assert.deepEqual(spec.ipFamilies, ["IPv6"]);
  assert.match(spec.clusterIP ?? "", /^fd00::/);
  const [address] = await addresses();
  assert.equal(address?.metadata.name, spec.clusterIP);
  assert.equal(address?.metadata.labels?.["ipaddress.kubernetes.io/ip-family"], "IPv6");
});

test("an IPAddress of any other owner is kept from Services", async () => {
  const parentRef = { resource: "gateways", group: "example.com", name: "edge" };
  const { create, client } = await allocator("10.96.0.0/29", () => 0);
  await client.create("IPAddress", { metadata: { name: "10.96.0.1" }, spec: { parentRef } });
  const { spec } = await create(service("web"));
  assert.equal(spec.clusterIP, "10.96.0.2");
  await assert.rejects(create(service("late", { clusterIP: "10.96.0.1" })), /provided IP is already allocated/);
});

test("the IPAddress decides: a pick that another server was faster with is picked anew", async () => {
  const { create, client } = await allocator("10.96.0.0/29", () => 0);
  const parentRef = { resource: "services", namespace: "dev", name: "other" };
  let raced = 0;
  const real = client.create.bind(client);
  client.create = async (kind, object, options) => {
    raced += 1;
    // Here the other server's write comes between the pick and ours.
    if (raced === 1) await real("IPAddress", { metadata: { name: "10.96.0.1" }, spec: { parentRef } });
    return real(kind, object, options);
  };
  const { spec } = await create(service("web"));
  assert.deepEqual([spec.clusterIP, spec.clusterIPs], ["10.96.0.2", ["10.96.0.2"]]);
});

test("a second ServiceCIDR takes over where the first is full, and its addresses may be asked for", async () => {
  const { create, client } = await allocator("10.96.0.0/30", () => 0);
  assert.equal((await create(service("a"))).spec.clusterIP, "10.96.0.1");
  assert.equal((await create(service("b"))).spec.clusterIP, "10.96.0.2");
  await assert.rejects(create(service("c")), /range is full/);
  const wider = serviceCidr("more", "10.97.0.0/29");
  await client.create("ServiceCIDR", { metadata: wider.metadata, spec: { cidrs: ["10.97.0.0/29"] } });
  assert.equal((await create(service("c"))).spec.clusterIP, "10.97.0.1");
  assert.equal((await create(service("d", { clusterIP: "10.97.0.5" }))).spec.clusterIP, "10.97.0.5");
  await assert.rejects(
    create(service("e", { clusterIP: "10.98.0.1" })),
    /provided network does not match the current range/,
  );
});

test("a ServiceCIDR that is going or not ready gives nothing out", async () => {
  const { create, client } = await allocator("10.96.0.0/30", () => 0);
  await client.create("ServiceCIDR", { metadata: { name: "more" }, spec: { cidrs: ["10.97.0.0/29"] } });
  const condition = { type: "Ready", status: "False", reason: "Terminating" };
  await client.patch(
    "ServiceCIDR",
    { name: "kubernetes" },
    { status: { conditions: [condition] } },
    { subresource: "status" },
  );
  assert.equal((await create(service("a"))).spec.clusterIP, "10.97.0.1");
});
