import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { ListenError, startDataplane, type ThreadedDataplane } from "#dataplane/workers.ts";
import { ask, echoEndpoint, simple, startPlane } from "./harness.ts";

const listeners = [{ host: "127.0.0.1", port: 0, tls: false }];

test("worker threads share a port, a table and the counters; a dead one is replaced and knows the table", async (t) => {
  const plane = (await startDataplane({
    listeners,
    workers: 2,
    log: silentLog,
    clock: systemClock,
  })) as ThreadedDataplane;
  t.after(() => plane.stop({ drainMs: 0 }));
  const port = plane.addresses[0]?.port ?? 0;
  await plane.apply(simple([await echoEndpoint(t)]));
  for (let count = 0; count < 10; count += 1) assert.equal((await ask(t, port, "GET /")).status, 200);
  assert.equal(plane.counters().routes.get("all")?.requests, 10);
  const [first] = plane.places;
  const before = first?.threadId;
  await first?.kill();
  // Resolves only when the successor has taken the change in.
  await plane.apply(simple([]));
  assert.notEqual(first?.threadId, before);
  for (let count = 0; count < 10; count += 1) assert.equal((await ask(t, port, "GET /")).status, 503);
  assert.equal(plane.counters().total.requests, 20);
  assert.equal((await plane.failures()).length, 10);
});

test("a worker that takes a dead one's place knows the table from its first connection on", async (t) => {
  const table = simple([await echoEndpoint(t)]);
  const plane = (await startDataplane({
    listeners,
    workers: 2,
    log: silentLog,
    clock: systemClock,
    table,
  })) as ThreadedDataplane;
  t.after(() => plane.stop({ drainMs: 0 }));
  const port = plane.addresses[0]?.port ?? 0;
  const statuses = new Set<number>();
  const load = { stop: false };
  const clients = Array.from({ length: 4 }, async () => {
    while (!load.stop) {
      // What waited at the dead worker's own socket ends with it, without an answer.
      const { status } = await ask(t, port, "GET /").catch(() => ({ status: 0 }));
      statuses.add(status || 200);
    }
  });
  for (let turn = 0; turn < 4; turn += 1) {
    await plane.places[turn % 2]?.kill();
    await plane.apply(table);
  }
  load.stop = true;
  await Promise.all(clients);
  assert.deepEqual([...statuses], [200], "nobody is told 404 meanwhile");
});

test("what worker threads remember and trace of their requests reaches whoever started them", async (t) => {
  const traced = Promise.withResolvers<string>();
  const plane = await startDataplane({
    listeners,
    workers: 2,
    log: silentLog,
    clock: systemClock,
    tracing: {
      sampling: { sampler: "AlwaysOn", ratio: 1, parentBased: true },
      export: ([span]) => traced.resolve(span?.name ?? ""),
    },
  });
  t.after(() => plane.stop({ drainMs: 0 }));
  await plane.apply(simple([await echoEndpoint(t)], { filters: [{ type: "tracing", name: "/here", trust: true }] }));
  assert.equal((await ask(t, plane.addresses[0]?.port ?? 0, "GET /")).status, 200);
  assert.equal(await traced.promise, "GET /here");
  assert.deepEqual(
    (await plane.sample()).map(({ target, status }) => [target, status]),
    [["/", 200]],
  );
});

test("a port that is taken is told with its code, by threads and without them", async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  t.after(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const taken = { host: "127.0.0.1", port, tls: false };
  for (const workers of [0, 1]) {
    const start = startDataplane({ listeners: [...listeners, taken], workers, log: silentLog, clock: systemClock });
    await assert.rejects(start, (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.code, "EADDRINUSE");
      assert.equal(error.listener.port, port);
      return true;
    });
  }
});

test("without threads everything happens here", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  assert.equal((await ask(t, port, "GET /")).status, 200);
  const { total, routes, backends } = plane.counters();
  assert.deepEqual(total.classes, [0, 1, 0, 0, 0]);
  assert.equal(routes.get("all")?.requests, 1);
  assert.equal(backends.get("b")?.open, 0);
});
