import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClient } from "#client/fake.ts";
import { startServiceSource } from "#proxy/source.ts";
import { waitWithdrawn } from "#proxy/withdrawn.ts";
import { manualClock } from "../../fakes/clock.ts";
import { service, slice } from "./objects.ts";

const address = "10.244.0.7";
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A pod behind a Service, and a node whose rules follow when the test says so. */
async function scene(conditions: { ready: boolean; serving?: boolean; terminating?: boolean }) {
  const clock = manualClock();
  const client = createFakeClient([service("web"), slice("web", [{ addresses: [address], conditions }])]);
  const source = startServiceSource(client, { clock });
  await source.synced;
  let follow = () => {};
  const followed = new Promise<void>((resolve) => (follow = resolve));
  let isDone = false;
  const done = waitWithdrawn({ source, inForce: () => followed, clock }, address).then(() => (isDone = true));
  const pass = async (ms: number) => {
    clock.advance(ms);
    await turn();
    source.table();
    await turn();
    return isDone;
  };
  return { client, done, follow, pass, stop: () => source.stop() };
}

test("a pod is stopped when the rules of every node have left it, and not before", async () => {
  const { client, follow, pass, stop } = await scene({ ready: true });
  assert.equal(await pass(100), false, "a Service still offers it");
  const [found] = (await client.list("EndpointSlice", {})).items;
  assert.ok(found);
  await client.update("EndpointSlice", {
    ...found,
    endpoints: [{ addresses: [address], conditions: { ready: false, serving: true, terminating: true } }],
  });
  assert.equal(await pass(100), false, "the node has not followed");
  follow();
  assert.equal(await pass(0), true);
  stop();
});

test("a node that cannot follow keeps a pod for five seconds at most", async () => {
  const { pass, stop } = await scene({ ready: false, serving: true, terminating: true });
  assert.equal(await pass(4_999), false);
  assert.equal(await pass(1), true);
  stop();
});

test("publishNotReadyAddresses, which offers a pod to its end, does not delay it", async () => {
  const { follow, pass, stop } = await scene({ ready: true, serving: true, terminating: true });
  follow();
  assert.equal(await pass(0), true);
  stop();
});
