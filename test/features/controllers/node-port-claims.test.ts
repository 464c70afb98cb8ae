import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { kinds } from "#api/kinds.ts";
import { createLocalClient } from "#apiserver/local.ts";
import { openRegistry } from "#apiserver/registry/registry.ts";
import { startInformer } from "#client/informer.ts";
import { createNodePortAllocator } from "#controllers/node-port/admission.ts";
import { heldPorts, nodePortClaims } from "#controllers/node-port/ports.ts";
import type { NodePortRepairOptions } from "#controllers/node-port/repair.ts";
import { startControllers } from "#controllers/start.ts";
import type { Store } from "#store/contract.ts";
import { openEtcdStore } from "#store/drivers/etcd.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { eventually } from "../../fakes/eventually.ts";
import { startEtcd, whyNoEtcd } from "../../fakes/etcd.ts";
import { manualClock } from "../../fakes/clock.ts";
import { requestsTo } from "./requests.ts";
import { service } from "./cluster.ts";

const range = { first: 30_000, last: 30_029 };
const nodePort = (name: string, port?: number) =>
  service(name, { type: "NodePort", ports: [{ port: 80, ...(port === undefined ? {} : { nodePort: port }) }] });

/** A server of a store, as `up` composes it, or one that knows nothing of node ports. */
async function startServer(store: Store, { withPorts = true, random = Math.random } = {}) {
  const ports = createNodePortAllocator({ range, random });
  const registry = await openRegistry({ store, definitions: kinds, admissions: withPorts ? [ports] : [] });
  const client = createLocalClient(registry, { name: "admin", groups: ["system:masters"] });
  const services = startInformer(client, "Service", { log: silentLog, clock: systemClock });
  services.onChange(({ before, after }) => ports.follow(before, after));
  await services.synced;
  return {
    client,
    registry,
    claims: () =>
      registry.claims.list(nodePortClaims).map(({ name, owner }) => `${name} ${keyOf({ metadata: owner })}`),
    stop() {
      services.stop();
      registry.stop();
    },
  };
}

const wanted = (services: readonly Service[]) =>
  services
    .flatMap((each) => [...new Set(heldPorts(each))].map((port) => `${nodePortClaims}${port} ${keyOf(each)}`))
    .sort();

test("two servers of one etcd never give one node port twice", { skip: whyNoEtcd() }, async (t) => {
  const etcd = await startEtcd();
  const stores = [await openEtcdStore({ servers: [etcd.url] }), await openEtcdStore({ servers: [etcd.url] })];
  const servers = await Promise.all(stores.map((store) => startServer(store)));
  t.after(async () => {
    for (const server of servers) server.stop();
    for (const store of stores) await store.close();
    await etcd.dispose();
  });
  const [one, other] = servers as [(typeof servers)[0], (typeof servers)[0]];
  await one.client.create("Namespace", { metadata: { name: "dev" } });

  // Twice as many as there are numbers, on both at once.
  const outcomes = await Promise.allSettled(
    servers.flatMap(({ client }, index) =>
      Array.from({ length: 30 }, (_, turn) => client.create("Service", nodePort(`s${index}-${turn}`))),
    ),
  );
  const made = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
  assert.equal(new Set(made.flatMap(heldPorts)).size, 30);
  assert.equal(made.length, 30);
  for (const refusal of refusals) assert.match(refusal, /failed to allocate a nodePort: range is full/);

  for (const each of made) await one.client.delete("Service", each.metadata);
  assert.deepEqual(one.claims(), []);
  // The same number asked for on both: one has it.
  for (let port = range.first; port <= range.last; port += 1) {
    const asked = await Promise.allSettled(
      servers.map(({ client }, index) => client.create("Service", nodePort(`asked-${index}-${port}`, port))),
    );
    const won = asked.filter(({ status }) => status === "fulfilled");
    assert.equal(won.length, 1, `node port ${port}`);
    const lost = asked.find((each) => each.status === "rejected");
    assert.match(
      String(lost?.reason),
      new RegExp(`nodePort: Invalid value: ${port}: provided port is already allocated`),
    );
  }
  const { items } = await other.client.list("Service");
  assert.deepEqual(other.claims().sort(), wanted(items));
});

test("claims follow what a Service holds: changed, of another type, with a finalizer, gone", async (t) => {
  const server = await startServer(createMemoryStore());
  t.after(() => server.stop());
  const { client, claims } = server;
  await client.create("Namespace", { metadata: { name: "dev" } });
  const check = async () => assert.deepEqual(claims().sort(), wanted((await client.list("Service")).items));
  const web = { namespace: "dev", name: "web" };
  await client.create("Service", service("web", { type: "LoadBalancer", externalTrafficPolicy: "Local" }));
  assert.equal(claims().length, 2);
  await check();
  await client.patch("Service", web, {
    spec: {
      ports: [{ port: 80 }, { port: 81, nodePort: 30_003, name: "b" }].map((port, index) => ({
        name: `p${index}`,
        ...port,
      })),
    },
  });
  await check();
  await client.patch("Service", web, { spec: { externalTrafficPolicy: "Cluster" } });
  await check();
  await client.patch("Service", web, { metadata: { finalizers: ["example.com/hold"] } });
  await client.delete("Service", web);
  assert.equal(claims().length, 2);
  await client.patch("Service", web, { metadata: { finalizers: null } });
  assert.deepEqual(claims(), []);
});

test("a number that another server was faster with is picked anew, and refused where it was asked for", async () => {
  const claims = new Map([30_000, 30_001, 30_002].map((port) => [nodePortClaims + port, "dev/theirs"]));
  const allocation = createNodePortAllocator({ range: { first: 30_000, last: 30_004 }, random: () => 0 });
  const { create, update, delete: remove } = requestsTo(allocation, { claims });
  const ports = [
    { port: 53, protocol: "TCP" as const },
    { port: 53, protocol: "UDP" as const },
  ];
  const web = await create(service("web", { type: "LoadBalancer", externalTrafficPolicy: "Local", ports }));
  assert.deepEqual(heldPorts(web), [30_004, 30_004, 30_003]);
  await assert.rejects(
    create(nodePort("b", 30_001)),
    /nodePort: Invalid value: 30001: provided port is already allocated/,
  );
  const local = { type: "LoadBalancer" as const, externalTrafficPolicy: "Local" as const, healthCheckNodePort: 30_002 };
  const asked = service("c", { ...local, allocateLoadBalancerNodePorts: false });
  await assert.rejects(
    create(asked),
    /failed to allocate requested HealthCheck NodePort 30002: provided port is already/,
  );
  await remove(await update(web, service("web")));
  assert.deepEqual([...claims.values()], ["dev/theirs", "dev/theirs", "dev/theirs"]);
});

/** The controllers over a store whose Services may have been written by a server without claims. */
async function startRepair(t: TestContext, before: (server: Awaited<ReturnType<typeof startServer>>) => Promise<void>) {
  const server = await startServer(createMemoryStore(), { withPorts: false });
  await server.client.create("Namespace", { metadata: { name: "dev" } });
  await before(server);
  const clock = manualClock();
  const nodePorts: NodePortRepairOptions = { claims: server.registry.claims, range };
  const controllers = await startControllers({ client: server.client, log: silentLog, clock, nodePorts });
  t.after(async () => {
    await controllers.stop();
    server.stop();
  });
  await controllers.idle();
  const events = async () =>
    (await server.client.list("Event")).items.map(({ reason, message }) => `${reason}: ${message}`);
  return { ...server, clock, controllers, events };
}

test("Services from before there were claims get theirs; who cannot have a port is told", async (t) => {
  const { claims, events } = await startRepair(t, async ({ client }) => {
    await client.create("Service", nodePort("a", 30_001));
    await client.create("Service", nodePort("b", 30_001));
    await client.create("Service", nodePort("c", 31_000));
  });
  assert.deepEqual(claims(), ["servicenodeports/30001 dev/a"]);
  await eventually(async () => {
    assert.deepEqual((await events()).sort(), [
      "PortAlreadyAllocated: Port 30001 was assigned to multiple services; please recreate service",
      "PortNotAllocated: Port 30001 is not allocated; repairing",
      "PortOutOfRange: Port 31000 is not within the port range 30000-30029; please recreate service",
    ]);
  });
});

test("a claim that nobody uses goes when it has been found three times, one that is used stays", async (t) => {
  const { claims, clock, controllers } = await startRepair(t, async ({ client, registry }) => {
    const gone = await client.create("Service", nodePort("gone", 30_001));
    await registry.claims.claim("servicenodeports/30001", gone);
    await registry.claims.claim("servicenodeports/30009", gone);
    await client.delete("Service", gone.metadata);
    // Of the same name, and another.
    await client.create("Service", nodePort("gone", 30_002));
  });
  for (const left of [3, 3, 1, 1]) {
    assert.equal(claims().length, left);
    clock.advance(3 * 60_000);
    await controllers.idle();
  }
  assert.deepEqual(claims(), ["servicenodeports/30002 dev/gone"]);
});
