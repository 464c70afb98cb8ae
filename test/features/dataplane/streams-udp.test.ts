import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { manualClock } from "../../fakes/clock.ts";
import { eventually } from "../../fakes/eventually.ts";
import { change, deadPort, openStream, startPlane } from "./harness.ts";

async function socketAt(t: TestContext, port = 0): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
  t.after(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return socket;
}

/** An endpoint that answers each datagram with its name, the sender's port and what it got. */
async function echo(t: TestContext, name: string): Promise<number> {
  const socket = await socketAt(t);
  socket.on("message", (bytes, from) =>
    socket.send(`${name} ${from.port} ${bytes.toString()}`, from.port, from.address),
  );
  return socket.address().port;
}

/** Sends until there is an answer: a datagram may be lost. */
async function ask(socket: Socket, port: number, text: string): Promise<string> {
  const timer = setInterval(() => socket.send(text, port, "127.0.0.1"), 200);
  socket.send(text, port, "127.0.0.1");
  try {
    for (;;) {
      const [bytes] = (await once(socket, "message")) as [Buffer];
      if (bytes.toString().endsWith(text)) return bytes.toString();
    }
  } finally {
    clearInterval(timer);
  }
}

test("a client's datagrams go to one endpoint and the answers come back; others take their turn", async (t) => {
  const { plane } = await startPlane(t);
  const { id, port } = await openStream(plane, "udp", [await echo(t, "one"), await echo(t, "two")]);
  const [first, second] = [await socketAt(t), await socketAt(t)];
  const heard = await ask(first, port, "a");
  const again = await ask(first, port, "b");
  assert.equal(again, heard.replace(/a$/, "b"), "the same endpoint by the same socket");
  const other = await ask(second, port, "c");
  assert.notEqual(other.slice(0, 3), heard.slice(0, 3));
  const counters = plane.counters().streams.get(id);
  assert.equal(counters?.requests, 2);
  assert.equal(counters?.open, 2);
  assert.ok((counters?.bytesIn ?? 0) >= 3);
});

test("a silent session ends after its time", async (t) => {
  const { plane } = await startPlane(t);
  const { id, port } = await openStream(plane, "udp", [await echo(t, "one")], { idleMs: 50 });
  await ask(await socketAt(t), port, "a");
  await eventually(() => assert.equal(plane.counters().streams.get(id)?.open, 0));
});

test("of more sessions than are held, the one that was silent longest makes room", async (t) => {
  const clock = manualClock();
  const { plane } = await startPlane(t, { clock, limits: { tickMs: 10, datagramSessions: 2 } });
  const { id, port } = await openStream(plane, "udp", [await echo(t, "one")]);
  const [a, b, c] = [await socketAt(t), await socketAt(t), await socketAt(t)];
  const own = await ask(a, port, "x");
  const silent = await ask(b, port, "x");
  clock.advance(100);
  assert.equal(await ask(a, port, "x"), own);
  await ask(c, port, "x");
  assert.equal(plane.counters().streams.get(id)?.open, 2);
  assert.equal(await ask(a, port, "x"), own);
  assert.notEqual(await ask(b, port, "x"), silent, "a new session, so another port");
});

test("sessions whose endpoint has left begin anew at another; a removed entry answers nobody", async (t) => {
  const { plane } = await startPlane(t);
  const [one, two] = [await echo(t, "one"), await echo(t, "two")];
  const { id, port, to } = await openStream(plane, "udp", [one]);
  const client = await socketAt(t);
  assert.match(await ask(client, port, "a"), /^one/);
  await plane.apply(to([one, two]));
  assert.match(await ask(client, port, "b"), /^one/);
  await plane.apply(to([two]));
  assert.match(await ask(client, port, "c"), /^two/);
  await plane.apply(change({ streams: [[id, undefined]] }));
  assert.equal(plane.counters().streams.has(id), false);
  // The port is free again.
  await socketAt(t, port);
});

test("an endpoint that is not there gives way to the next one", async (t) => {
  const { plane } = await startPlane(t);
  const dead = await deadPort();
  const { port } = await openStream(plane, "udp", [dead, await echo(t, "two")]);
  assert.match(await ask(await socketAt(t), port, "a"), /^two/);
  assert.match(await ask(await socketAt(t), port, "a"), /^two/);
  const failures = await plane.failures();
  assert.ok(failures.every(({ endpoint, reason }) => endpoint === `127.0.0.1:${dead}` && reason === "refused"));
});
