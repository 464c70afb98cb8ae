import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Event } from "#api/core/event/kind.ts";
import type { ServicePort } from "#api/core/service/kind.ts";
import { readStreamLine } from "#routing/streams/read.ts";
import { service, slice, startWorld, type World } from "./world.ts";

function configMap(name: string, data: Record<string, string>): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "edge", name }, data };
}

const streams = {
  tcpConfigMap: "edge/tcp",
  udpConfigMap: "edge/udp",
  reserved: new Map([[80, "the port of Ingress"]]),
};

async function startStreams(data: Record<string, string>, more: Record<string, string> = {}): Promise<World> {
  const world = await startWorld(
    [service("db"), slice("db", ["10.0.0.1", "10.0.0.2"]), configMap("tcp", data), configMap("udp", more)],
    { streams },
  );
  await world.until("the first table", () => world.running.applied() !== "0");
  return world;
}

/** The streams that the data plane has been told, each in one line. */
function told(world: World): Record<string, string> {
  const entries = new Map<string, string>();
  for (const change of world.changes) {
    for (const [id, entry] of change.streams ?? []) {
      if (entry === undefined) entries.delete(id);
      else {
        const { target, acceptProxy = false } = entry;
        const to = target.endpoints.map(({ address, port }) => `${address}:${port}`);
        const proxy = `${acceptProxy ? " accepts PROXY" : ""}${target.sendProxy === 1 ? " sends PROXY" : ""}`;
        entries.set(id, `${target.backend} -> ${to.join(" ")}${proxy}`);
      }
    }
  }
  return Object.fromEntries([...entries].sort());
}

test("lines are read as ingress-nginx reads them", () => {
  const base = { namespace: "dev", service: "db", servicePort: 5432, acceptProxy: false, sendProxy: false };
  for (const [protocol, key, value, wanted] of [
    ["tcp", "5432", "dev/db:5432", { ...base, port: 5432 }],
    ["tcp", "1", "dev/db:pg", { ...base, port: 1, servicePort: "pg" }],
    ["tcp", "65535", " dev/db:5432:PROXY ", { ...base, port: 65_535, acceptProxy: true }],
    ["tcp", "9", "dev/db:5432:proxy:PROXY", { ...base, port: 9, acceptProxy: true, sendProxy: true }],
    ["tcp", "9", "dev/db:5432::PROXY", { ...base, port: 9, sendProxy: true }],
    ["udp", "53", "dev/db:5432:PROXY", { ...base, port: 53 }],
  ] as const) {
    assert.deepEqual(readStreamLine(protocol, key, value), wanted, `${key}: ${value}`);
  }
  for (const [key, value, wanted] of [
    ["0", "dev/db:1", /^the key must be a port/],
    ["65536", "dev/db:1", /^the key must be a port/],
    ["080", "dev/db:1", /^the key must be a port/],
    ["http", "dev/db:1", /^the key must be a port/],
    ["1", "db:1", /^the value must have the form/],
    ["1", "dev/db", /^the port of the Service must be/],
    ["1", "dev/db:", /^the port of the Service must be/],
    ["1", "dev/db:0", /^the port of the Service must be/],
    ["1", "dev/db:70000", /^the port of the Service must be/],
    ["1", "dev/db:Pg", /^the port of the Service must be/],
    ["1", "dev/a/db:1", /^the value must have the form/],
    ["1", "Dev/db:1", /^the value must have the form/],
    ["1", "dev/db:1:PROXY:PROXY:PROXY", /^the value must have the form/],
    ["1", "", /^the value must have the form/],
  ] as const) {
    const line = readStreamLine("tcp", key, value);
    assert.match(typeof line === "string" ? line : JSON.stringify(line), wanted, `${key}: ${value}`);
  }
});

test("lines become streams to the pods, and follow ConfigMap, Service and endpoints", async (t) => {
  const world = await startStreams({ "5432": "dev/db:80:PROXY:PROXY", "5433": "dev/late:80" });
  t.after(() => world.running.stop());
  assert.deepEqual(told(world), {
    "tcp:5432": "dev/db:80 -> 10.0.0.1:8080 10.0.0.2:8080 accepts PROXY sends PROXY",
  });
  await world.client.create("Service", service("late"));
  await world.until("the late one", () => "tcp:5433" in told(world));
  assert.equal(told(world)["tcp:5433"], "dev/late:80 -> ");
  await world.client.create("EndpointSlice", slice("late", ["10.0.0.9"]));
  await world.until("its endpoint", () => told(world)["tcp:5433"] === "dev/late:80 -> 10.0.0.9:8080");
  world.taken();
  const tcp = { namespace: "edge", name: "tcp" };
  await world.client.patch("ConfigMap", tcp, { data: { "5432": null, "5434": "dev/db:80" } });
  await world.until("the new line", () => "tcp:5434" in told(world));
  assert.deepEqual(told(world), {
    "tcp:5433": "dev/late:80 -> 10.0.0.9:8080",
    "tcp:5434": "dev/db:80 -> 10.0.0.1:8080 10.0.0.2:8080",
  });
  const ids = world.taken().flatMap(({ streams = [] }) => streams.map(([id]) => id));
  assert.deepEqual(ids.sort(), ["tcp:5432", "tcp:5434"], "what did not change is not sent again");
  await world.client.delete("Service", { namespace: "dev", name: "late" });
  await world.until("the end", () => !("tcp:5433" in told(world)));
  await world.client.delete("ConfigMap", tcp);
  await world.until("nothing", () => Object.keys(told(world)).length === 0);
});

test("a UDP line takes the Service's UDP port, also where a TCP port has the same number", async (t) => {
  const world = await startStreams({ "53": "dev/dns:53" }, { "53": "dev/dns:53", "54": "dev/db:80" });
  t.after(() => world.running.stop());
  const ports: ServicePort[] = [
    { name: "tcp", port: 53, protocol: "TCP" },
    { name: "udp", port: 53, protocol: "UDP" },
  ];
  await world.client.create("Service", { ...service("dns"), spec: { ports } });
  await world.client.create("EndpointSlice", {
    ...slice("dns", ["10.0.0.5"]),
    ports: [
      { name: "tcp", port: 1053, protocol: "TCP" },
      { name: "udp", port: 2053, protocol: "UDP" },
    ],
  });
  const wanted = { "tcp:53": "dev/dns:53 -> 10.0.0.5:1053", "udp:53": "dev/dns:53 -> 10.0.0.5:2053" };
  await world.until("both", () => JSON.stringify(told(world)) === JSON.stringify(wanted));
  assert.match(world.running.problems()[0]?.message ?? "", /^data\[54\]: Service dev\/db has no UDP port 80/);
});

test("each bad line is told by an Event that names its key, and the others are served", async (t) => {
  const lines = { "80": "dev/db:80", "81": "dev/gone:80", "82": "dev/db:9", "83": "nonsense", x: "dev/db:80" };
  const world = await startStreams({ ...lines, "84": "dev/db:80" });
  t.after(() => world.running.stop());
  assert.deepEqual(Object.keys(told(world)), ["tcp:84"]);
  const events = async (): Promise<readonly Event[]> => (await world.client.list("Event")).items;
  await world.until("the Events", async () => (await events()).length === 5);
  const found = (await events()).map(({ involvedObject: { kind, namespace, name }, reason, message }) => {
    return `${kind} ${namespace}/${name} ${reason}: ${message}`;
  });
  assert.deepEqual(found.sort(), [
    'ConfigMap edge/tcp StreamInvalid: data[83]: the value must have the form namespace/service:port[:PROXY[:PROXY]], not "nonsense"; the port is not served',
    'ConfigMap edge/tcp StreamInvalid: data[x]: the key must be a port between 1 and 65535, not "x"; the port is not served',
    "ConfigMap edge/tcp StreamPortReserved: data[80]: port 80 is the port of Ingress; choose another one",
    "ConfigMap edge/tcp StreamServiceNotFound: data[81]: Service dev/gone does not exist; the port is not served until it does",
    "ConfigMap edge/tcp StreamServiceNotFound: data[82]: Service dev/db has no TCP port 9; the port is not served until it does",
  ]);
});

test("a port that another program has is told of", async (t) => {
  const refused = new Map([["tcp:5432", "EADDRINUSE"]]);
  const world = await startWorld([service("db"), configMap("tcp", { "5432": "dev/db:80" }), configMap("udp", {})], {
    streams,
    dataplane: { apply: () => {}, refusedStreams: () => refused },
  });
  t.after(() => world.running.stop());
  await world.until("an Event", async () => (await world.client.list("Event")).items.length > 0);
  const [event] = (await world.client.list("Event")).items;
  assert.match(event?.message ?? "", /^data\[5432\]: port 5432 cannot be opened: another program has it/);
});

test("a ConfigMap that is missing is a problem, and its ports come with it", async (t) => {
  const world = await startWorld([service("db")], { streams });
  t.after(() => world.running.stop());
  await world.until("the first table", () => world.running.applied() !== "0");
  assert.deepEqual(
    world.running.problems().map(({ at, code }) => `${at.namespace}/${at.name} ${code}`),
    ["edge/tcp configmap-not-found", "edge/udp configmap-not-found"],
  );
  await world.client.create("ConfigMap", configMap("tcp", { "5432": "dev/db:80" }));
  await world.until("the stream", () => "tcp:5432" in told(world));
});
