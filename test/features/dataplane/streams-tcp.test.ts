import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { startDataplane } from "#dataplane/workers.ts";
import { silentLog } from "#base/log.ts";
import { systemClock } from "#base/clock.ts";
import { eventually } from "../../fakes/eventually.ts";
import { change, deadPort, dial, listening, openStream, quick, startPlane } from "./harness.ts";

/** An endpoint that leaves its side open when the client ends, and answers what it got with its name. */
function echo(t: TestContext, name = ""): Promise<number> {
  const serve = (socket: Socket) => {
    socket.write(name);
    socket.pipe(socket);
  };
  return listening(t, createServer({ allowHalfOpen: true }, serve));
}

test("bytes go both ways, and the end of one side leaves the other open", async (t) => {
  const { plane } = await startPlane(t);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let got = "";
    socket.on("data", (bytes) => (got += bytes.toString()));
    // The whole answer is written after the client has ended.
    socket.on("end", () => socket.end(`got ${got}`));
  });
  const { port } = await openStream(plane, "tcp", [await listening(t, server)]);
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  t.after(() => socket.destroy());
  let text = "";
  socket.on("data", (bytes) => (text += bytes.toString()));
  socket.end("hello");
  await once(socket, "end");
  assert.equal(text, "got hello");
});

test("large transfers arrive whole, at the pace of a slow reader", async (t) => {
  const { plane } = await startPlane(t);
  const size = 24 << 20;
  const chunk = Buffer.from(Array.from({ length: 65_536 }, (_, at) => (at * 31) & 255));
  const wanted = createHash("sha1");
  for (let at = 0; at < size; at += chunk.length) wanted.update(chunk);
  const server = createServer((socket) => {
    let left = size;
    const more = () => {
      while (left > 0) {
        left -= chunk.length;
        if (!socket.write(chunk)) return void socket.once("drain", more);
      }
      socket.end();
    };
    more();
  });
  const { id, port } = await openStream(plane, "tcp", [await listening(t, server)]);
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  const digest = createHash("sha1");
  let reads = 0;
  for await (const bytes of socket) {
    digest.update(bytes as Buffer);
    reads += 1;
    if (reads % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(digest.digest("hex"), wanted.digest("hex"));
  assert.equal(plane.counters().streams.get(id)?.bytesOut, size);
});

test("connections take turns at the endpoints, pass over a dead one, and count", async (t) => {
  const { plane } = await startPlane(t);
  const { id, port } = await openStream(plane, "tcp", [await echo(t, "one"), await deadPort(), await echo(t, "two")]);
  const greetings = new Map<string, number>();
  for (let turn = 0; turn < 4; turn += 1) {
    const client = await dial(t, port);
    const name = await client.until(/one|two/);
    greetings.set(name, (greetings.get(name) ?? 0) + 1);
  }
  assert.deepEqual([...greetings.keys()].sort(), ["one", "two"]);
  const counters = plane.counters().streams.get(id);
  assert.equal(counters?.requests, 4);
  assert.equal(counters?.open, 4);
  assert.equal(counters?.classes[1], 4);
  assert.ok((counters?.retries ?? 0) >= 1);
  assert.equal(plane.counters().total.open, 4);
});

test("without endpoints, or with dead ones only, connections are closed and told of", async (t) => {
  const { plane } = await startPlane(t);
  const none = await openStream(plane, "tcp", []);
  const dead = await openStream(plane, "tcp", [await deadPort(), await deadPort()]);
  for (const { port } of [none, dead]) assert.equal(await (await dial(t, port)).end(), "");
  const failures = await plane.failures();
  assert.deepEqual(
    failures.map(({ route, backend, reason, status }) => [route, backend, reason, status]),
    [
      [none.id, "dev/db:5432", "no endpoints", 503],
      [dead.id, "dev/db:5432", "refused", 0],
      [dead.id, "dev/db:5432", "refused", 502],
    ],
  );
  assert.equal(plane.counters().streams.get(none.id)?.classes[4], 1);
});

test("a connection in which nothing goes is closed after its time", async (t) => {
  const { plane } = await startPlane(t);
  const { port } = await openStream(plane, "tcp", [await echo(t, "hello")], { idleMs: 50 });
  const client = await dial(t, port);
  assert.equal(await client.end(), "hello");
});

test("a removed entry closes its connections; all others go on, also when endpoints change", async (t) => {
  const { plane } = await startPlane(t);
  const [a, b] = [
    await openStream(plane, "tcp", [await echo(t, "a")]),
    await openStream(plane, "tcp", [await echo(t, "b")]),
  ];
  const [first, second] = [await dial(t, a.port), await dial(t, b.port)];
  await Promise.all([first.until(/a/), second.until(/b/)]);
  await plane.apply(change({ streams: [[a.id, undefined]] }));
  await plane.apply(b.to([]));
  assert.equal(await first.end(), "a");
  second.send("still here");
  assert.equal(await second.until(/here/), "bstill here");
  await assert.rejects(dial(t, a.port), { code: "ECONNREFUSED" });
  assert.equal(await (await dial(t, b.port)).end(), "");
  assert.equal(plane.counters().streams.has(a.id), false);
});

test("a port that is taken waits until it is free, and is named meanwhile", async (t) => {
  const { plane } = await startPlane(t);
  const other = createServer((socket) => socket.end("theirs"));
  const port = await listening(t, other);
  const id = `tcp:${port}`;
  const endpoints = [{ address: "127.0.0.1", port: await echo(t, "mine") }];
  const target = { backend: "dev/db:5432", endpoints, connectMs: 5000, idleMs: 60_000, tries: 3 };
  await plane.apply(change({ streams: [[id, { id, protocol: "tcp", port, target }]] }));
  assert.deepEqual([...plane.refusedStreams()], [[id, "EADDRINUSE"]]);
  await new Promise<void>((resolve) => other.close(() => resolve()));
  await eventually(async () => assert.equal(await (await dial(t, port)).until(/mine/), "mine"));
  assert.equal(plane.refusedStreams().size, 0);
});

test("every worker serves every stream, and one that takes a dead one's place does as well", async (t) => {
  const plane = await startDataplane({
    listeners: [{ host: "127.0.0.1", port: 0, tls: false }],
    workers: 2,
    log: silentLog,
    clock: systemClock,
    limits: quick,
  });
  t.after(() => plane.stop({ drainMs: 0 }));
  const { id, port } = await openStream(plane, "tcp", [await echo(t, "hello")]);
  for (let turn = 0; turn < 8; turn += 1) assert.equal(await (await dial(t, port)).until(/hello/), "hello");
  assert.equal(plane.counters().streams.get(id)?.requests, 8);
  await ("places" in plane ? (plane.places as { kill(): Promise<void> }[])[0]?.kill() : assert.fail());
  await eventually(async () => {
    for (let turn = 0; turn < 8; turn += 1) assert.equal(await (await dial(t, port)).until(/hello/), "hello");
  });
});
