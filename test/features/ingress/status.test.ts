import assert from "node:assert/strict";
import { test } from "node:test";
import type { World } from "./world.ts";
import { ingress, ruleFor, service, startedWorld, twoHosts } from "./world.ts";

async function addressesOf(world: World, name: string): Promise<unknown> {
  const found = await world.client.get("Ingress", { namespace: "dev", name });
  return found?.status?.loadBalancer?.ingress;
}

test("routed Ingresses get the entry's addresses, sorted, names as names", async (t) => {
  const world = await startedWorld(twoHosts(), { publishAddresses: ["entry.example", "172.30.0.254"] });
  t.after(() => world.running.stop());
  const wanted = [{ ip: "172.30.0.254" }, { hostname: "entry.example" }];
  for (const name of ["web", "api"]) {
    await world.until(`the status of ${name}`, async () => (await addressesOf(world, name)) !== undefined);
    assert.deepEqual(await addressesOf(world, name), wanted);
  }
});

test("an Ingress of another controller keeps its status", async (t) => {
  const spec = { ingressClassName: "other", rules: [ruleFor("x.example", "web")] };
  const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
  const foreign = { ...ingress("foreign", spec), status };
  const world = await startedWorld([...twoHosts(), foreign], { publishAddresses: ["172.30.0.254"] });
  t.after(() => world.running.stop());
  await world.until("the status of web", async () => (await addressesOf(world, "web")) !== undefined);
  await world.pass(500);
  assert.deepEqual(await addressesOf(world, "foreign"), [{ ip: "192.0.2.1" }]);
});

test("a status that is right is not written again", async (t) => {
  const world = await startedWorld(twoHosts(), { publishAddresses: ["172.30.0.254"] });
  t.after(() => world.running.stop());
  await world.until("the status of web", async () => (await addressesOf(world, "web")) !== undefined);
  await world.pass(200);
  const before = await world.client.get("Ingress", { namespace: "dev", name: "web" });
  await world.client.update("Service", service("web"));
  await world.pass(500);
  const after = await world.client.get("Ingress", { namespace: "dev", name: "web" });
  assert.equal(after?.metadata.resourceVersion, before?.metadata.resourceVersion);
});

test("other addresses replace the old ones", async (t) => {
  const world = await startedWorld(twoHosts(), { publishAddresses: ["172.30.0.254"] });
  t.after(() => world.running.stop());
  await world.until("the status of web", async () => (await addressesOf(world, "web")) !== undefined);
  world.running.publish(["10.9.9.9"]);
  await world.until("the new address", async () => {
    return JSON.stringify(await addressesOf(world, "web")) === JSON.stringify([{ ip: "10.9.9.9" }]);
  });
});

test("without addresses no status is written", async (t) => {
  const world = await startedWorld(twoHosts());
  t.after(() => world.running.stop());
  await world.pass(500);
  assert.equal(await addressesOf(world, "web"), undefined);
});
