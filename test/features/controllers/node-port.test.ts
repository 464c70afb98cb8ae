import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service, ServicePort, ServiceSpec } from "#api/core/service/kind.ts";
import { createNodePortAllocator, reservedNodePorts } from "#controllers/node-port/admission.ts";
import { service } from "./cluster.ts";
import { requestsTo } from "./requests.ts";

function allocator(range = { first: 30_000, last: 32_767 }) {
  const allocation = createNodePortAllocator({ range, random: () => 0 });
  return { allocation, ...requestsTo(allocation) };
}

const nodePort = (name: string, ports: ServicePort[], spec: Partial<ServiceSpec> = {}) =>
  service(name, { type: "NodePort", ports, ...spec });
const loadBalancer = (name: string, spec: Partial<ServiceSpec> = {}) =>
  service(name, { type: "LoadBalancer", ports: [{ port: 80 }], externalTrafficPolicy: "Cluster", ...spec });
const portsOf = ({ spec }: Service) => spec.ports?.map((port) => port.nodePort);

test("automatic picks avoid the first 86 ports of the default range", async () => {
  assert.deepEqual([16, 17, 1000, 2768, 65_535].map(reservedNodePorts), [0, 16, 31, 86, 128]);
  assert.deepEqual(portsOf(await allocator().create(nodePort("web", [{ port: 80 }]))), [30_086]);
});

test("TCP and UDP of one port share a number at create, and get their own on update", async () => {
  const { create, update, allocation } = allocator();
  const dns = await create(
    nodePort("dns", [
      { port: 53, protocol: "TCP" },
      { port: 53, protocol: "UDP" },
      { port: 80, protocol: "TCP" },
    ]),
  );
  assert.deepEqual(portsOf(dns), [30_086, 30_086, 30_087]);
  assert.equal(allocation.taken, 2);
  const ports = [...(dns.spec.ports ?? []), { port: 80, protocol: "UDP" as const }];
  assert.deepEqual(portsOf(await update(dns, nodePort("dns", ports))), [30_086, 30_086, 30_087, 30_088]);
});

test("a number that one entry asks for is shared by the other entry of the same port", async () => {
  const ports = [
    { port: 53, protocol: "TCP" as const },
    { port: 53, protocol: "UDP" as const, nodePort: 30_053 },
  ];
  assert.deepEqual(portsOf(await allocator().create(nodePort("dns", ports))), [30_053, 30_053]);
});

test("a number another Service has, or outside of the range, is refused in upstream's words", async () => {
  const { create, update } = allocator();
  await create(nodePort("first", [{ port: 80, nodePort: 30_080 }]));
  const text = (name: string, port: number, why: string) =>
    `Service "${name}" is invalid: spec.ports[0].nodePort: Invalid value: ${port}: ${why}`;
  const taken = "provided port is already allocated";
  const range = "provided port is not in the valid range. The range of valid ports is 30000-32767";
  const udp = { port: 53, protocol: "UDP" as const, nodePort: 30_080 };
  await assert.rejects(create(nodePort("b", [udp])), { message: text("b", 30_080, taken), code: 422 });
  await assert.rejects(create(nodePort("b", [{ port: 80, nodePort: 80 }])), { message: text("b", 80, range) });
  const other = await create(nodePort("b", [{ port: 80 }]));
  const moved = nodePort("b", [{ port: 80, nodePort: 30_080 }]);
  await assert.rejects(update(other, moved), { message: text("b", 30_080, taken) });
});

test("a full range is an internal error, and a refused request keeps nothing", async () => {
  const { create, allocation } = allocator({ first: 30_000, last: 30_001 });
  await create(nodePort("a", [{ port: 80 }]));
  await assert.rejects(create(nodePort("b", [{ port: 80 }, { port: 81 }])), {
    message: "Internal error occurred: failed to allocate a nodePort: range is full",
    code: 500,
  });
  assert.equal(allocation.taken, 1);
});

test("numbers come back when a port, the type or the Service goes", async () => {
  const { create, update, delete: remove, allocation } = allocator();
  const both = await create(nodePort("web", [{ port: 80 }, { port: 81 }]));
  const one = await update(both, nodePort("web", (both.spec.ports ?? []).slice(0, 1)));
  assert.equal(allocation.taken, 1);
  const none = await update(one, service("web"));
  assert.equal(allocation.taken, 0);
  await remove(await update(none, nodePort("web", [{ port: 80 }])));
  assert.equal(allocation.taken, 0);
});

test("two entries may swap their numbers, but not share one with the same protocol", async () => {
  const { create, update } = allocator();
  const before = await create(
    nodePort("web", [
      { port: 80, nodePort: 30_001 },
      { port: 81, nodePort: 30_002 },
    ]),
  );
  const swapped = [
    { port: 80, nodePort: 30_002 },
    { port: 81, nodePort: 30_001 },
  ];
  assert.deepEqual(portsOf(await update(before, nodePort("web", swapped))), [30_002, 30_001]);
  const doubled = swapped.map((port) => ({ ...port, nodePort: 30_001 }));
  await assert.rejects(update(before, nodePort("web", doubled)), { message: /duplicate nodePort: 30001/ });
});

test("a LoadBalancer may do without automatic numbers", async () => {
  const { create, allocation } = allocator();
  const bare = await create(loadBalancer("a", { allocateLoadBalancerNodePorts: false }));
  const asked = [{ port: 80, nodePort: 30_005 }, { port: 81 }];
  const explicit = await create(loadBalancer("b", { allocateLoadBalancerNodePorts: false, ports: asked }));
  assert.deepEqual([portsOf(bare), portsOf(explicit)], [[undefined], [30_005, undefined]]);
  assert.equal(allocation.taken, 1);
});

test("a LoadBalancer with traffic policy Local has a health check port for as long as it is one", async () => {
  const { create, update, allocation } = allocator();
  const local = await create(loadBalancer("web", { externalTrafficPolicy: "Local" }));
  assert.equal(local.spec.healthCheckNodePort, 30_087);
  const cluster = { ...local, spec: { ...local.spec, externalTrafficPolicy: "Cluster" as const } };
  delete cluster.spec.healthCheckNodePort;
  await update(local, cluster);
  assert.equal(allocation.taken, 1);
  await assert.rejects(create(loadBalancer("b", { externalTrafficPolicy: "Local", healthCheckNodePort: 30_086 })), {
    message: /failed to allocate requested HealthCheck NodePort 30086: provided port is already allocated/,
  });
  assert.equal(allocation.taken, 1);
});

test("what existing Services hold is taken after seeding", async () => {
  const { create, allocation } = allocator();
  allocation.seed([
    loadBalancer("a", {
      ports: [{ port: 80, nodePort: 30_086 }],
      healthCheckNodePort: 30_087,
      externalTrafficPolicy: "Local",
    }),
  ]);
  assert.deepEqual(portsOf(await create(nodePort("web", [{ port: 80 }]))), [30_088]);
});

test("what another server of the same store gives out is taken here, and free again when it is given back", async () => {
  const { create, delete: remove, allocation } = allocator();
  const theirs = nodePort("theirs", [{ port: 80, nodePort: 30_086 }]);
  allocation.follow(undefined, theirs);
  const mine = await create(nodePort("mine", [{ port: 80 }]));
  assert.deepEqual(portsOf(mine), [30_087]);
  // One's own are told as well, when they are known already.
  allocation.follow(undefined, mine);
  allocation.follow(theirs, undefined);
  assert.deepEqual(portsOf(await create(nodePort("next", [{ port: 80 }]))), [30_086]);
  await remove(mine);
  assert.deepEqual(portsOf(await create(nodePort("other", [{ port: 80 }]))), [30_087]);
  // Late news of who had it before takes it from nobody.
  allocation.follow(mine, undefined);
  const late = create(nodePort("late", [{ port: 80, nodePort: 30_087 }]));
  await assert.rejects(late, /provided port is already allocated/);
});
