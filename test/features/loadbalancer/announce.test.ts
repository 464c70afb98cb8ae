import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log.ts";
import type { Service } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Client } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";
import { decide, type Election } from "#loadbalancer/announce/election.ts";
import { createLink, type Link } from "#loadbalancer/announce/link.ts";
import { startAnnouncer } from "#loadbalancer/announce/start.ts";
import { wantedAddresses } from "#loadbalancer/announce/wanted.ts";
import { manualClock, type ManualClock } from "../../fakes/clock.ts";

const address = "172.31.0.1";
const nodeOf = (name: string, labels = {}) => ({
  apiVersion: "v1" as const,
  kind: "Node" as const,
  metadata: { name, labels },
});

function service(spec: Partial<Service["spec"]> = {}, ip = address): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "dev" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...spec },
    status: { loadBalancer: { ingress: [{ ip, ipMode: "VIP" }] } },
  };
}

function slice(...nodes: string[]): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "web-1", namespace: "dev", labels: { [serviceNameLabel]: "web" } },
    addressType: "IPv4",
    endpoints: nodes.map((nodeName, index) => ({ addresses: [`10.244.0.${index + 1}`], nodeName })),
    ports: [{ port: 80 }],
  };
}

/** A link whose kernel keeps time: an address is there until its lifetime is over. */
function fakeLink(clock: ManualClock) {
  const until = new Map<string, number>();
  const told: string[] = [];
  const state = { up: true, told };
  const link: Link = {
    isUp: async () => state.up,
    async hold(seconds) {
      for (const [at, left] of seconds) until.set(at, clock.monotonic() + left * 1000);
      return state.up;
    },
    async release(addresses) {
      for (const at of addresses) until.delete(at);
    },
    async tell(addresses) {
      told.push(...addresses);
    },
  };
  return { ...state, link, has: (at: string) => (until.get(at) ?? 0) > clock.monotonic(), state };
}

function startNode(client: Client, clock: ManualClock, name: string) {
  const place = fakeLink(clock);
  const announcer = startAnnouncer({ client, nodes: [{ name, link: place.link }], log: silentLog, clock });
  return { ...place, announcer };
}

/** Lets everything that is due happen, a step of time after the other. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    clock.advance(100);
    for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function startCluster(objects: KubeObject[]) {
  const clock = manualClock();
  const client = createFakeClient([nodeOf("node-1"), nodeOf("node-2"), ...objects], clock);
  const nodes = ["node-1", "node-2"].map((name) => startNode(client, clock, name));
  await pass(clock, 3_000);
  const holders = () => nodes.map(({ has }) => has(address));
  return { clock, client, nodes, holders };
}

test("of several nodes one has an address, tells its neighbours, and keeps it", async () => {
  const { clock, client, nodes, holders } = await startCluster([service()]);
  const first = holders();
  assert.equal(first.filter(Boolean).length, 1);
  assert.deepEqual(
    nodes.map(({ told }) => told),
    first.map((has) => (has ? [address] : [])),
  );
  await pass(clock, 30_000);
  assert.deepEqual(holders(), first);
  const lease = await client.get("Lease", { namespace: "kube-system", name: `load-balancer-${address}` });
  assert.equal(lease?.spec?.holderIdentity, first[0] ? "node-1" : "node-2");
  assert.equal(lease?.spec?.leaseTransitions, 0);
  const [event] = (await client.list("Event")).items;
  assert.match(`${event?.reason} ${event?.message}`, /^nodeAssigned announcing 172\.31\.0\.1 from node node-[12] with/);
  await Promise.all(nodes.map(({ announcer }) => announcer.stop()));
});

test("when a node falls silent its address ends, and another has it within the time of the Lease; never two", async () => {
  const clock = manualClock();
  const client = createFakeClient([nodeOf("node-1"), nodeOf("node-2"), service()], clock);
  // What a killed program does: nothing any more.
  let isDead = false;
  const silent = <T>(work: () => Promise<T>): Promise<T> => (isDead ? new Promise<T>(() => {}) : work());
  const dying: Client = {
    ...client,
    create: ((...args: Parameters<Client["create"]>) => silent(() => client.create(...args))) as Client["create"],
    update: ((...args: Parameters<Client["update"]>) => silent(() => client.update(...args))) as Client["update"],
  };
  const [wanted] = wantedAddresses({
    services: [service()],
    nodes: [nodeOf("node-1"), nodeOf("node-2")],
    slicesOf: () => [],
  }).values();
  const [firstName = "", secondName = ""] = wanted?.candidates ?? [];
  const first = startNode(dying, clock, firstName);
  const second = startNode(client, clock, secondName);
  await pass(clock, 3_000);
  assert.deepEqual([first.has(address), second.has(address)], [true, false]);
  isDead = true;
  for (let passed = 0; passed < 8_000; passed += 100) {
    await pass(clock, 100);
    assert.ok(!(first.has(address) && second.has(address)), `two nodes have it after ${passed} ms`);
  }
  assert.deepEqual([first.has(address), second.has(address)], [false, true]);
  assert.deepEqual(second.told, [address]);
  isDead = false;
  await second.announcer.stop();
});

test("a node that ends in order gives its addresses to the next at once", async () => {
  const { clock, nodes, holders } = await startCluster([service()]);
  const at = holders().indexOf(true);
  await nodes[at]?.announcer.stop();
  await pass(clock, 700);
  assert.deepEqual(holders(), [at === 1, at === 0]);
  await nodes[1 - at]?.announcer.stop();
});

test("a node whose interface is down lets another have its addresses", async () => {
  const { clock, nodes, holders } = await startCluster([service()]);
  const at = holders().indexOf(true);
  const down = nodes[at];
  if (down !== undefined) down.state.up = false;
  await pass(clock, 4_000);
  assert.deepEqual(holders(), [at === 1, at === 0]);
  await Promise.all(nodes.map(({ announcer }) => announcer.stop()));
});

test("with externalTrafficPolicy Local a node with an endpoint has the address, and hands it on with the endpoint", async () => {
  const { clock, client, nodes, holders } = await startCluster([
    service({ externalTrafficPolicy: "Local" }),
    slice("node-2"),
  ]);
  assert.deepEqual(holders(), [false, true]);
  await client.update("EndpointSlice", slice("node-1"));
  await pass(clock, 700);
  assert.deepEqual(holders(), [true, false]);
  await client.update("EndpointSlice", slice());
  await pass(clock, 700);
  assert.deepEqual(holders(), [false, false]);
  await Promise.all(nodes.map(({ announcer }) => announcer.stop()));
});

test("an address that its Service loses is taken from the node, and its Lease is removed", async () => {
  const { clock, client, nodes, holders } = await startCluster([service()]);
  await client.delete("Service", { namespace: "dev", name: "web" });
  await pass(clock, 300);
  assert.deepEqual(holders(), [false, false]);
  assert.deepEqual((await client.list("Lease")).items, []);
  await Promise.all(nodes.map(({ announcer }) => announcer.stop()));
});

test("nodes that are excluded announce nothing, and addresses are spread over the others", () => {
  const nodes = [
    nodeOf("node-1"),
    nodeOf("node-2"),
    nodeOf("node-3", { "node.kubernetes.io/exclude-from-external-load-balancers": "" }),
  ];
  const services = Array.from({ length: 64 }, (_, index) => service({}, `172.31.1.${index + 1}`));
  const wanted = [...wantedAddresses({ services, nodes, slicesOf: () => [] }).values()];
  const firsts = wanted.map(({ candidates }) => candidates[0]);
  assert.deepEqual([...new Set(firsts)].sort(), ["node-1", "node-2"]);
  assert.ok(firsts.filter((name) => name === "node-1").length > 16);
  assert.ok(firsts.filter((name) => name === "node-2").length > 16);
});

const election: Election = {
  me: "b",
  candidates: ["a", "b"],
  lease: { holder: "a", seconds: 6, changedAt: 1_000 },
  now: 2_000,
};
for (const [what, change, outcome] of [
  ["a living holder is left alone", {}, { act: "wait", ms: 5_300 }],
  ["a silent one is replaced", { now: 7_300 }, { act: "take" }],
  [
    "the first in line is waited for",
    { lease: { holder: "", seconds: 6, changedAt: 2_000 } },
    { act: "wait", ms: 300 },
  ],
  ["a free one is taken", { lease: { holder: "", seconds: 6, changedAt: 1_000 } }, { act: "take" }],
  ["one's own is renewed in time", { lease: { holder: "b", seconds: 6, changedAt: 0 } }, { act: "renew" }],
  ["and not before", { lease: { holder: "b", seconds: 6, changedAt: 1_500 } }, { act: "wait", ms: 1_500 }],
  [
    "what one may not have is given back",
    { me: "c", lease: { holder: "c", seconds: 6, changedAt: 0 } },
    { act: "give-back" },
  ],
  ["and not taken", { me: "c", now: 99_000 }, { act: "wait" }],
] as const) {
  test(`election: ${what}`, () => assert.deepEqual(decide({ ...election, ...change }), outcome));
}

test("the kernel is given addresses with a lifetime, and nothing that is no address", async () => {
  const ran: string[] = [];
  const link = createLink({
    device: "eth0",
    log: silentLog,
    async run(argv, input = "") {
      ran.push(`${argv.join(" ")}${input === "" ? "" : `: ${input.trim().split("\n").join("; ")}`}`);
      return { code: 0, stdout: '[{"flags":["UP","LOWER_UP"]}]', stderr: "" };
    },
  });
  assert.equal(
    await link.hold(
      new Map([
        [address, 5],
        ["fd00::1", 4],
      ]),
    ),
    true,
  );
  await link.tell([address, "fd00::1"]);
  await link.release([address]);
  assert.deepEqual(ran, [
    "sysctl -q -w net.ipv6.conf.eth0.ndisc_notify=1 net.ipv6.conf.eth0.accept_dad=0",
    "ip -j -batch -: link show dev eth0; addr replace 172.31.0.1/32 dev eth0 valid_lft 5 preferred_lft 0; " +
      "addr replace fd00::1/128 dev eth0 valid_lft 4 preferred_lft 0",
    "arping -q -U -c 3 -I eth0 172.31.0.1",
    "ip -j -force -batch -: addr del 172.31.0.1/32 dev eth0",
  ]);
  await assert.rejects(link.hold(new Map([["-x", 5]])), /not an address/);
  assert.throws(() =>
    createLink({ device: "eth0; id", log: silentLog, run: async () => ({ code: 0, stdout: "", stderr: "" }) }),
  );
});
