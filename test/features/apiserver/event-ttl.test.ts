import assert from "node:assert/strict";
import { test } from "node:test";
import { rfc3339 } from "#base/clock.ts";
import type { Event } from "#api/core/event/kind.ts";
import type { New } from "#client/contract.ts";
import { manualClock } from "../../fakes/clock.ts";
import { startTestServer } from "../../fakes/api-server.ts";
import { drivers } from "../../fakes/stores.ts";

for (const { name, skip, open } of drivers) {
  test(`an Event in ${name} goes an hour after it was last seen`, { skip }, async (t) => {
    const clock = manualClock();
    const { store, dispose } = await open();
    const server = await startTestServer({ store, clock });
    t.after(async () => {
      await server.stop();
      await dispose();
    });
    const client = server.localClient({ name: "test", groups: ["system:masters"] });
    await client.create("Namespace", { metadata: { name: "n" } });
    const involvedObject = { kind: "Service", namespace: "n", name: "s" };
    const emit = (name: string) => {
      const lastTimestamp = rfc3339(clock.now());
      const event = { metadata: { name, namespace: "n" }, involvedObject, reason: "R", type: "Normal", lastTimestamp };
      return client.create("Event", event as New<Event>);
    };
    await emit("old");
    clock.advance(30 * 60_000);
    await emit("young");
    let gone = (_name: string) => {};
    const removed = new Promise<string>((resolve) => (gone = resolve));
    const { resourceVersion } = await client.list("Event");
    client.watch("Event", { since: resourceVersion }, { event: ({ object }) => gone(object.metadata.name), end() {} });
    clock.advance(31 * 60_000);
    assert.equal(await removed, "old");
    assert.deepEqual(
      (await client.list("Event")).items.map(({ metadata }) => metadata.name),
      ["young"],
    );
  });
}
