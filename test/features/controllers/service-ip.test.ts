import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr, type Cidr } from "#base/cidr.ts";
import type { ServiceSpec } from "#api/core/service/kind.ts";
import { ApiError } from "#api/meta/status.ts";
import { createServiceIpAllocator, reservedAddresses } from "#controllers/service-ip/admission.ts";
import { service } from "./cluster.ts";
import { requestsTo } from "./requests.ts";

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  assert.ok(parsed);
  return parsed;
}

function allocator(range = "10.96.0.0/16", random = () => 0) {
  const allocation = createServiceIpAllocator({ cidr: cidr(range), random });
  return { allocation, ...requestsTo(allocation) };
}

const bands: [range: string, reserved: number][] = [
  ["10.0.0.0/24", 16],
  ["10.0.0.0/22", 64],
  ["10.0.0.0/20", 256],
  ["10.0.0.0/16", 256],
  ["10.0.0.0/26", 16],
  ["10.0.0.0/28", 0],
  ["fd00::/108", 256],
];
for (const [range, reserved] of bands) {
  test(`automatic picks avoid the first ${reserved} addresses of ${range}`, () => {
    assert.equal(reservedAddresses(cidr(range)), reserved);
  });
}

test("a Service gets an address from the upper band and its family fields", async () => {
  const { create } = allocator();
  const { spec } = await create(service("web"));
  assert.equal(spec.clusterIP, "10.96.1.1");
  assert.deepEqual([spec.clusterIPs, spec.ipFamilies, spec.ipFamilyPolicy], [["10.96.1.1"], ["IPv4"], "SingleStack"]);
});

test("the lower band is used when the upper one is full, and a full range is an internal error", async () => {
  const { create, allocation } = allocator("10.0.0.0/27", () => 0.99);
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
    'spec.clusterIPs: Invalid value: ["10.97.0.10"]: failed to allocate IP 10.97.0.10: the provided IP (10.97.0.10) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
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
    const { create } = allocator();
    await create(service("dns", { clusterIP: "10.96.0.10" }));
    const expected = new ApiError("Invalid", `Service "web" is invalid: ${message}`);
    await assert.rejects(create(service("web", spec)), { message: expected.message, code: 422 });
  });
}

test("headless Services take no address; without selector they list both families", async () => {
  const { create, allocation } = allocator();
  const chosen = await create(service("a", { clusterIP: "None" }));
  const bare = await create(service("b", { clusterIP: "None", selector: undefined }));
  assert.equal(allocation.taken, 0);
  assert.deepEqual([chosen.spec.ipFamilies, chosen.spec.ipFamilyPolicy], [["IPv4"], "SingleStack"]);
  assert.deepEqual([bare.spec.ipFamilies, bare.spec.ipFamilyPolicy], [["IPv4", "IPv6"], "RequireDualStack"]);
});

test("PreferDualStack quietly yields the one family there is", async () => {
  const { spec } = await allocator().create(service("web", { ipFamilyPolicy: "PreferDualStack" }));
  assert.deepEqual([spec.ipFamilies, spec.ipFamilyPolicy, spec.clusterIPs?.length], [["IPv4"], "PreferDualStack", 1]);
});

test("an address comes back with the Service, with ExternalName, and when a write fails", async () => {
  const { create, update, delete: remove, allocation } = allocator();
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
  const { create, allocation } = allocator();
  await create(service("web", { clusterIP: "10.96.0.7" }));
  await assert.rejects(create(service("web", { clusterIP: "10.96.0.7" })), { reason: "Invalid" });
  assert.equal(allocation.taken, 1);
});

test("a Service that lingers for a finalizer keeps its address until that is gone", async () => {
  const { create, update, delete: remove, allocation } = allocator();
  const web = await create(service("web"));
  const held = { ...web, metadata: { ...web.metadata, finalizers: ["example.com/hold"] } };
  await remove(held);
  assert.equal(allocation.taken, 1);
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  await update(held, { ...held, metadata: { ...held.metadata, deletionTimestamp, finalizers: [] } });
  assert.equal(allocation.taken, 0);
});

test("an update that names no address keeps the one the Service has", async () => {
  const { create, update, allocation } = allocator();
  const web = await create(service("web"));
  const { spec } = await update(web, service("web"));
  assert.equal(spec.clusterIP, web.spec.clusterIP);
  assert.equal(allocation.taken, 1);
});

test("what existing Services hold is taken after seeding, and doubles are told", () => {
  const { allocation } = allocator();
  const [first, second] = [service("a", { clusterIP: "10.96.0.7" }), service("b", { clusterIP: "10.96.0.7" })];
  assert.deepEqual(allocation.seed([first, second, service("c", { clusterIP: "None" })]), [second]);
  assert.equal(allocation.taken, 1);
});

test("a wide range is neither scanned nor held in memory, empty or nearly full", async () => {
  const { create } = allocator("fd00::/64", () => 0.5);
  const { spec } = await create(service("web"));
  assert.deepEqual(spec.ipFamilies, ["IPv6"]);
  assert.match(spec.clusterIP ?? "", /^fd00::/);
});

test("what another server of the same store allocates is taken here, and free again when it is given back", async () => {
  const { create, delete: remove, allocation } = allocator();
  const theirs = service("theirs", { clusterIP: "10.96.1.1", clusterIPs: ["10.96.1.1"] });
  allocation.follow(undefined, theirs);
  const mine = await create(service("mine"));
  assert.equal(mine.spec.clusterIP, "10.96.1.2");
  // One's own are told as well, before and after they are known.
  allocation.follow(undefined, mine);
  allocation.follow(theirs, undefined);
  assert.equal((await create(service("next"))).spec.clusterIP, "10.96.1.1");
  await remove(mine);
  assert.equal((await create(service("other"))).spec.clusterIP, "10.96.1.2");
  // Late news of who had it before takes it from nobody.
  allocation.follow(mine, undefined);
  await assert.rejects(create(service("late", { clusterIP: "10.96.1.2" })), /provided IP is already allocated/);
});
