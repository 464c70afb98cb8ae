import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr, type Cidr } from "#base/cidr.ts";
import type { Namespace } from "#api/core/namespace/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { createFakeClient } from "#client/fake.ts";
import { assignAddresses, heldAddresses, type Assigning } from "#loadbalancer/assign.ts";
import { parseRange, poolsOfFlags, type AddressPool, type AddressRange } from "#loadbalancer/pool.ts";
import { startLoadBalancer } from "#loadbalancer/start.ts";

const flags = poolsOfFlags([parseCidr("172.31.0.0/29") as Cidr]);

function pool(name: string, addresses: string[], change: Partial<AddressPool> = {}): AddressPool {
  const ranges = addresses.map((text) => parseRange(text) as AddressRange);
  return { name, ranges, autoAssign: true, avoidBuggyIPs: false, ...change };
}

interface Change {
  spec?: Partial<Service["spec"]>;
  ip?: string;
  created?: string;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  namespace?: string;
}

function service(name: string, change: Change = {}): Service {
  const { created = "2026-01-01T00:00:00Z", namespace = "dev", annotations, labels } = change;
  const ips = change.ip?.split(",").map((ip) => ({ ip, ipMode: "VIP" as const }));
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace,
      creationTimestamp: created,
      ...(annotations && { annotations }),
      ...(labels && { labels }),
    },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...change.spec },
    ...(ips && { status: { loadBalancer: { ingress: ips } } }),
  };
}

const outcome = (services: Service[], assigning: Partial<Assigning> = {}) =>
  Object.fromEntries(
    assignAddresses(services, { pools: flags, ...assigning }).map((each) => [
      each.service.metadata.name,
      "addresses" in each ? each.addresses.join() : each.reason,
    ]),
  );
const messageOf = (services: Service[], name: string, assigning: Partial<Assigning> = {}) => {
  const found = assignAddresses(services, { pools: flags, ...assigning }).find(
    ({ service }) => service.metadata.name === name,
  );
  return found !== undefined && "message" in found ? found.message : "";
};

test("each Service gets an address of its own, never the first or last of the range", () => {
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  const given = outcome(names.map((name) => service(name)));
  assert.deepEqual(
    Object.values(given),
    [1, 2, 3, 4, 5, 6].map((at) => `172.31.0.${at}`).concat("AddressPoolExhausted"),
  );
});

test("an address that is held stays, whoever comes", () => {
  assert.deepEqual(outcome([service("old", { ip: "172.31.0.1" }), service("a", { created: "2025-01-01T00:00:00Z" })]), {
    a: "172.31.0.2",
    old: "172.31.0.1",
  });
});

test("spec.loadBalancerIP is given when it is free and in a pool, and the reason is told when not", () => {
  const wish = (ip: string) => ({ spec: { loadBalancerIP: ip } });
  const services = [
    service("a", wish("172.31.0.5")),
    service("b", wish("172.31.0.5")),
    service("c", wish("8.8.8.8")),
    service("d", wish("x")),
  ];
  assert.deepEqual(outcome(services), {
    a: "172.31.0.5",
    b: "AddressInUse",
    c: "AddressNotInPool",
    d: "InvalidAddressRequest",
  });
  assert.match(messageOf(services, "b"), /172\.31\.0\.5 belongs to dev\/a: it is not shared \(metallb\.io\/allow/);
});

test("MetalLB's annotations ask for addresses and pools, under the old name too", () => {
  const pools = [...flags, pool("small", ["172.31.1.7"]), pool("asked", ["172.31.2.0/24"], { autoAssign: false })];
  const annotated = (name: string, value: string) => ({ annotations: { [name]: value } });
  assert.deepEqual(
    outcome(
      [
        service("a", annotated("metallb.io/address-pool", "small")),
        service("b", annotated("metallb.universe.tf/address-pool", "small")),
        service("c", annotated("metallb.io/address-pool", "nowhere")),
        service("d", annotated("metallb.universe.tf/loadBalancerIPs", "172.31.2.9")),
        service("e", annotated("metallb.io/address-pool", "asked")),
        service("f", {
          ...annotated("metallb.io/loadBalancerIPs", "172.31.0.2"),
          spec: { loadBalancerIP: "172.31.0.3" },
        }),
      ],
      { pools },
    ),
    {
      a: "172.31.1.7",
      b: "AddressPoolExhausted",
      c: "AddressPoolNotFound",
      d: "172.31.2.9",
      e: "172.31.2.1",
      f: "InvalidAddressRequest",
    },
  );
});

test("pools are given by namespace, by its labels and by the Service's, the most urgent first", () => {
  const pools = [
    pool("all", ["172.31.0.1"]),
    pool("late", ["172.31.1.1-172.31.1.9"], { allocation: { priority: 20, namespaces: ["shop"] } }),
    pool("first", ["172.31.2.1"], {
      allocation: { priority: 10, namespaceSelectors: [{ matchLabels: { tier: "1" } }] },
    }),
    pool("gold", ["172.31.3.1"], { allocation: { serviceSelectors: [{ matchLabels: { plan: "gold" } }] } }),
  ];
  const namespaceLabels = (name: string) => (name === "shop" ? { tier: "1" } : undefined);
  assert.deepEqual(
    outcome(
      [
        service("a", { namespace: "shop" }),
        service("b", { namespace: "shop" }),
        service("c", { labels: { plan: "gold" } }),
        service("d"),
        service("e"),
        service("f", { annotations: { "metallb.io/address-pool": "late" } }),
      ],
      { pools, namespaceLabels },
    ),
    {
      a: "172.31.2.1",
      b: "172.31.1.1",
      c: "172.31.3.1",
      d: "172.31.0.1",
      e: "AddressPoolExhausted",
      f: "AddressPoolNotFound",
    },
  );
});

test("Services with one sharing key have one address, where no port is twice and their policies are equal", () => {
  const shared = (port: number, spec: Partial<Service["spec"]> = {}, key = "k", created = "2026-01-01T00:00:00Z") => ({
    created,
    annotations: { "metallb.io/allow-shared-ip": key },
    spec: { ports: [{ port }], ...spec },
  });
  const one = { loadBalancerIP: "172.31.0.4" };
  const services = [
    service("a", shared(80, one, "k", "2025-01-01T00:00:00Z")),
    service("b", shared(443)),
    service("c", shared(80, one)),
    service("d", shared(81, one, "other")),
    service("e", shared(82, { ...one, externalTrafficPolicy: "Local" })),
    service("f", shared(80)),
    service("g", { spec: { ...one, ports: [{ port: 83 }] } }),
  ];
  assert.deepEqual(outcome(services), {
    a: "172.31.0.4",
    b: "172.31.0.4",
    c: "AddressInUse",
    d: "AddressInUse",
    e: "AddressInUse",
    f: "172.31.0.1",
    g: "AddressInUse",
  });
  const why = (name: string) => messageOf(services, name);
  assert.match(why("c"), /172\.31\.0\.4 belongs to dev\/a: port 80\/TCP is taken on it/);
  assert.match(why("d"), /shared under another key, k/);
  assert.match(why("e"), /the same externalTrafficPolicy/);
  assert.match(why("g"), /it is not shared/);
  const local = (app: string, port: number) =>
    shared(port, { ...one, externalTrafficPolicy: "Local", selector: { app } });
  assert.deepEqual(outcome([service("a", local("x", 1)), service("b", local("x", 2)), service("c", local("y", 3))]), {
    a: "172.31.0.4",
    b: "172.31.0.4",
    c: "AddressInUse",
  });
});

test("a Service of two families has an address of each from one pool; PreferDualStack is content with one", () => {
  const pools = [pool("v4", ["172.31.0.1"]), pool("both", ["172.31.1.1", "fd00:1::1-fd00:1::2"])];
  const dual = (ipFamilyPolicy: "RequireDualStack" | "PreferDualStack", ip?: string) => ({
    spec: { ipFamilies: ["IPv6", "IPv4"] as ("IPv4" | "IPv6")[], ipFamilyPolicy },
    ...(ip === undefined ? {} : { ip }),
  });
  const six = { spec: { ipFamilies: ["IPv6"] as "IPv6"[] } };
  assert.deepEqual(
    outcome([service("a", dual("RequireDualStack")), service("b", dual("PreferDualStack")), service("c", six)], {
      pools,
    }),
    { a: "fd00:1::1,172.31.1.1", b: "172.31.0.1", c: "fd00:1::2" },
  );
  const wish = { ...dual("RequireDualStack"), annotations: { "metallb.io/loadBalancerIPs": "172.31.1.1,FD00:1::2" } };
  assert.deepEqual(outcome([service("a", wish)], { pools }), { a: "172.31.1.1,fd00:1::2" });
});

test("addresses of nodes are never given, nor those that old devices misread when a pool says so", () => {
  const pools = [
    pool("a", ["172.30.0.10-172.30.0.13"]),
    pool("b", ["172.31.0.254-172.31.1.1"], { avoidBuggyIPs: true }),
  ];
  const given = outcome(
    ["a", "b", "c", "d", "e", "f"].map((name) => service(name)),
    { pools, reserved: new Set(["172.30.0.11", "172.30.0.12"]) },
  );
  assert.deepEqual(Object.values(given), [
    "172.30.0.10",
    "172.30.0.13",
    "172.31.0.254",
    "172.31.1.1",
    "AddressPoolExhausted",
    "AddressPoolExhausted",
  ]);
});

test("without a pool Services stay pending; those of another class and other types are left alone", () => {
  assert.deepEqual(outcome([service("a")], { pools: [] }), { a: "NoAddressPool" });
  const classOf = (loadBalancerClass: string) => ({ spec: { loadBalancerClass } });
  assert.deepEqual(
    outcome([
      service("a", classOf("fairlead.dev/load-balancer")),
      service("b", classOf("x/y")),
      service("c", { spec: { type: "NodePort" } }),
    ]),
    { a: "172.31.0.1" },
  );
});

test("the provider writes status and one event, and withdraws the address when the type changes", async () => {
  const client = createFakeClient([service("web")]);
  const provider = startLoadBalancer({ client, pools: flags });
  const held = async () =>
    heldAddresses((await client.get("Service", { namespace: "dev", name: "web" })) as Service).join();
  while ((await held()) !== "172.31.0.1") await new Promise((resolve) => setImmediate(resolve));
  await client.patch("Service", { namespace: "dev", name: "web" }, { spec: { type: "ClusterIP" } });
  while ((await held()) !== "") await new Promise((resolve) => setImmediate(resolve));
  await provider.stop();
  const events = await client.list("Event");
  assert.deepEqual(
    events.items.map(({ reason, message }) => `${reason}: ${message}`),
    ["AddressAssigned: assigned 172.31.0.1 of pool default"],
  );
});

test("a pending Service carries one event that says why and what to do", async () => {
  const client = createFakeClient([service("web")]);
  const provider = startLoadBalancer({ client, pools: [] });
  while ((await client.list("Event")).items.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await client.patch("Service", { namespace: "dev", name: "web" }, { metadata: { labels: { a: "b" } } });
  await new Promise((resolve) => setImmediate(resolve));
  await provider.idle();
  await provider.stop();
  const events = await client.list("Event");
  assert.equal(events.items.length, 1);
  assert.match(events.items[0]?.message ?? "", /--load-balancer-cidr/);
});

test("pools of the ConfigMap are in use at once; what cannot be read is told there, and nothing changes", async () => {
  const client = createFakeClient([service("web", { namespace: "shop" })]);
  const provider = startLoadBalancer({ client, pools: [] });
  const held = async () =>
    heldAddresses((await client.get("Service", { namespace: "shop", name: "web" })) as Service).join();
  const until = async (check: () => Promise<boolean>) => {
    while (!(await check())) await new Promise((resolve) => setImmediate(resolve));
  };
  const told = async (reason: string) => (await client.list("Event")).items.find((event) => event.reason === reason);
  const key = { namespace: "kube-system", name: "load-balancer" };
  const namespace: Namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "shop", labels: { tier: "1" } },
  };
  await client.create("Namespace", namespace);
  const allocation = "serviceAllocation: { namespaceSelectors: [{ matchLabels: { tier: '1' } }] }";
  const text = `pools: [{ name: shop, addresses: [172.31.7.7], ${allocation} }]`;
  await client.create("ConfigMap", { metadata: key, data: { "config.yaml": text } });
  await until(async () => (await held()) === "172.31.7.7");
  await client.patch("ConfigMap", key, { data: { "config.yaml": "pools: [{ nam: shop }]" } });
  await until(async () => (await told("InvalidAddressPools")) !== undefined);
  assert.match(
    (await told("InvalidAddressPools"))?.message ?? "",
    /config\.yaml:1: pools\[0\]\.nam is not a key; did you/,
  );
  await provider.idle();
  assert.equal(await held(), "172.31.7.7");
  await client.patch("Namespace", { name: "shop" }, { metadata: { labels: null } });
  await until(async () => (await held()) === "");
  await provider.stop();
});

test("a Service that cannot be written keeps no other from its address", async () => {
  const client = createFakeClient([service("bad"), service("good", { created: "2026-01-02T00:00:00Z" })]);
  const refusing = {
    ...client,
    updateStatus: ((kind: "Service", object: Service) =>
      object.metadata.name === "bad"
        ? Promise.reject(new Error("no"))
        : client.updateStatus(kind, object)) as typeof client.updateStatus,
  };
  const provider = startLoadBalancer({ client: refusing, pools: flags });
  const held = async () =>
    heldAddresses((await client.get("Service", { namespace: "dev", name: "good" })) as Service).join();
  while ((await held()) !== "172.31.0.2") await new Promise((resolve) => setImmediate(resolve));
  await provider.stop();
});
