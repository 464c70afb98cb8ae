import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "#api/core/event/kind.ts";
import { ingress, replaceIngress, ruleFor, service, startedWorld, twoHosts, type World } from "./world.ts";

async function eventsOf(world: World): Promise<readonly Event[]> {
  return (await world.client.list("Event")).items;
}

test("a missing Service is told once, as a warning on the Ingress", async (t) => {
  const world = await startedWorld([ingress("web", { rules: [ruleFor("web.example", "gone")] })]);
  t.after(() => world.running.stop());
  await world.until("an Event", async () => (await eventsOf(world)).length > 0);
  const labelled = ingress("web", { rules: [ruleFor("web.example", "gone"), ruleFor("b.example", "gone")] });
  await replaceIngress(world, labelled);
  await world.pass(500);
  const [event, ...more] = await eventsOf(world);
  assert.ok(event);
  assert.equal(event.type, "Warning");
  assert.equal(event.reason, "ServiceNotFound");
  assert.match(event.message ?? "", /^Service dev\/gone does not exist; .* until it is created$/);
  assert.equal(event.involvedObject.kind, "Ingress");
  assert.equal(event.involvedObject.name, "web");
  assert.equal(event.metadata.namespace, "dev");
  // The second rule has a problem of its own; the first is not told again.
  assert.deepEqual(
    more.map(({ reason }) => reason),
    ["ServiceNotFound"],
  );
  assert.equal(event.count, 1);
});

test("a problem that comes back counts up the same Event", async (t) => {
  const world = await startedWorld([ingress("web", { rules: [ruleFor("web.example", "late")] })]);
  t.after(() => world.running.stop());
  await world.until("an Event", async () => (await eventsOf(world)).length > 0);
  await world.client.create("Service", service("late"));
  await world.until("no problem", () => world.running.problems().length === 0);
  await world.pass(200);
  await world.client.delete("Service", { namespace: "dev", name: "late" });
  await world.until("the count", async () => (await eventsOf(world))[0]?.count === 2);
  assert.equal((await eventsOf(world)).length, 1);
});

test("healthy Ingresses have no Events", async (t) => {
  const world = await startedWorld(twoHosts());
  t.after(() => world.running.stop());
  await world.pass(500);
  assert.deepEqual(await eventsOf(world), []);
});

test("an annotation that cannot be used is told with its name, and no secret value goes with it", async (t) => {
  const annotations = { "nginx.ingress.kubernetes.io/proxy-body-size": "x".repeat(500) };
  const world = await startedWorld([
    ...twoHosts(),
    ingress("a", { rules: [ruleFor("a.example", "web")] }, annotations),
  ]);
  t.after(() => world.running.stop());
  await world.until("an Event", async () => (await eventsOf(world)).length > 0);
  const [event] = await eventsOf(world);
  assert.equal(event?.reason, "AnnotationInvalid");
  assert.match(event?.message ?? "", /proxy-body-size: "x{60}\.\.\." is not usable, it must be a number/);
});
