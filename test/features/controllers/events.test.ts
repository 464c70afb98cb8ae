import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log.ts";
import { ApiError } from "#api/meta/status.ts";
import { createFakeClient } from "#client/fake.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { manualClock } from "../../fakes/clock.ts";
import { node, pod } from "./cluster.ts";

test("a repeated Event raises the count of the first one, and starts anew after a pause", async () => {
  const clock = manualClock();
  const client = createFakeClient([], clock);
  const recorder = createEventRecorder(client, "tester", { clock, log: silentLog, host: "node-1" });
  for (let turn = 0; turn < 3; turn += 1) recorder.warning(pod("web"), "BackOff", "again");
  recorder.warning(pod("web"), "BackOff", "other words");
  await recorder.flush();
  clock.advance(3_600_000);
  recorder.warning(pod("web"), "BackOff", "again");
  await recorder.flush();
  const events = (await client.list("Event", { namespace: "dev" })).items;
  assert.deepEqual(events.map(({ message, count }) => `${message} ${count}`).sort(), [
    "again 1",
    "again 3",
    "other words 1",
  ]);
  assert.deepEqual(events[0]?.source, { component: "tester", host: "node-1" });
  assert.deepEqual(
    [events[0]?.type, events[0]?.involvedObject.kind, events[0]?.involvedObject.name],
    ["Warning", "Pod", "web"],
  );
});

test("an Event about a cluster-wide object is kept in the namespace default", async () => {
  const client = createFakeClient();
  const recorder = createEventRecorder(client, "tester", { clock: manualClock(), log: silentLog });
  recorder.normal(node("node-1"), "Ready", "it is");
  await recorder.flush();
  const [event] = (await client.list("Event")).items;
  assert.deepEqual([event?.metadata.namespace, event?.involvedObject.namespace], ["default", undefined]);
});

test("an Event that cannot be written harms nobody, and an expired one is written anew", async () => {
  const clock = manualClock();
  const client = createFakeClient([], clock);
  let refused = true;
  const create: typeof client.create = async (kind, object) => {
    if (refused) throw new ApiError("Forbidden", "the namespace is being terminated");
    return client.create(kind, object);
  };
  const recorder = createEventRecorder({ ...client, create }, "tester", { clock, log: silentLog });
  recorder.normal(pod("web"), "A", "a");
  await recorder.flush();
  refused = false;
  recorder.normal(pod("web"), "A", "a");
  await recorder.flush();
  const [event] = (await client.list("Event")).items;
  assert.ok(event);
  await client.delete("Event", event.metadata);
  recorder.normal(pod("web"), "A", "a");
  await recorder.flush();
  assert.deepEqual(
    (await client.list("Event")).items.map(({ count }) => count),
    [1],
  );
});
