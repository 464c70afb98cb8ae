import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr, type Cidr } from "#base/cidr.ts";
import type { Service } from "#api/core/service/kind.ts";
import { createFakeClient } from "#client/fake.ts";
import { assignAddresses, heldAddress } from "#loadbalancer/assign.ts";
import { startLoadBalancer } from "#loadbalancer/start.ts";

const pool = parseCidr("172.31.0.0/29") as Cidr;

function service(
  name: string,
  change: { spec?: Partial<Service["spec"]>; ip?: string; created?: string } = {},
): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "dev", creationTimestamp: change.created ?? "2026-01-01T00:00:00Z" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }], ...change.spec },
    ...(change.ip === undefined ? {} : { status: { loadBalancer: { ingress: [{ ip: change.ip }] } } }),
  };
}

const outcome = (services: Service[], pools: Cidr[] = [pool]) =>
  Object.fromEntries(
    assignAddresses(services, pools).map((each) => [
      each.service.metadata.name,
      "address" in each ? each.address : each.reason,
    ]),
  );

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
  assert.deepEqual(
    outcome([service("a", wish("172.31.0.5")), service("b", wish("172.31.0.5")), service("c", wish("8.8.8.8"))]),
    {
      a: "172.31.0.5",
      b: "AddressInUse",
      c: "AddressNotInPool",
    },
  );
});

test("without a pool Services stay pending; those of another class and other types are left alone", () => {
  assert.deepEqual(outcome([service("a")], []), { a: "NoAddressPool" });
  assert.deepEqual(
    outcome([service("b", { spec: { loadBalancerClass: "x/y" } }), service("c", { spec: { type: "NodePort" } })]),
    {},
  );
});

test("the provider writes status and one event, and withdraws the address when the type changes", async () => {
  const client = createFakeClient([service("web")]);
  const provider = startLoadBalancer({ client, pools: [pool] });
  const held = async () => heldAddress((await client.get("Service", { namespace: "dev", name: "web" })) as Service);
  while ((await held()) !== "172.31.0.1") await new Promise((resolve) => setImmediate(resolve));
  await client.patch("Service", { namespace: "dev", name: "web" }, { spec: { type: "ClusterIP" } });
  while ((await held()) !== undefined) await new Promise((resolve) => setImmediate(resolve));
  await provider.stop();
  const events = await client.list("Event");
  assert.deepEqual(
    events.items.map(({ reason, message }) => `${reason}: ${message}`),
    ["AddressAssigned: assigned 172.31.0.1"],
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
