import assert from "node:assert/strict";
import { test } from "node:test";
import { CompactedError, type Store } from "#store/contract.ts";
import { startTestServer } from "../../fakes/api-server.ts";
import { manualClock } from "../../fakes/clock.ts";
import { drivers } from "../../fakes/stores.ts";

const minuteMs = 60_000;

for (const { name, skip, open } of drivers) {
  test(`history of ${name} is kept for five minutes at least, and forgotten after ten`, { skip }, async (t) => {
    const { store: inner, dispose } = await open();
    const compacted: { at: number; revision: number }[] = [];
    let told = () => {};
    const store: Store = {
      ...inner,
      async compact(revision) {
        await inner.compact(revision);
        compacted.push({ at: clock.monotonic() / minuteMs, revision });
        told();
      },
    };
    const clock = manualClock();
    const server = await startTestServer({ store, clock });
    t.after(async () => {
      await server.stop();
      await dispose();
    });
    const client = server.localClient({ name: "test", groups: ["system:masters"] });
    const create = async (name: string) =>
      Number((await client.create("Namespace", { metadata: { name } })).metadata.resourceVersion);
    const pass = async (minutes: number, times: number) => {
      clock.advance(minutes * minuteMs);
      while (compacted.length < times) await new Promise<void>((resolve) => (told = resolve));
    };
    const begin = await store.revision();
    const first = await create("a");
    await pass(4, 0);
    const second = await create("b");
    await pass(1, 1);
    await store.list({ prefix: "/registry/", atRevision: first });
    const third = await create("c");
    await pass(5, 2);
    await assert.rejects(store.list({ prefix: "/registry/", atRevision: first }), CompactedError);
    const { entries } = await store.list({ prefix: "/registry/namespaces/", atRevision: second });
    assert.equal(entries.length, 2);
    await pass(5, 3);
    assert.deepEqual(compacted, [
      { at: 5, revision: begin },
      { at: 10, revision: second },
      { at: 15, revision: third },
    ]);
    assert.equal((await client.list("Namespace")).items.length, 3);
  });
}
