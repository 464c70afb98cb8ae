import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { framed, queryFor, read, sendTcp } from "../../fakes/dns-client.ts";
import { startFakeUpstream } from "../../fakes/dns-upstream.ts";
import { namespace, service, startHere, zone } from "./fixture.ts";
import { manualClock } from "../../fakes/clock.ts";

const objects = [namespace("dev"), service("web", { clusterIP: "10.96.0.20" })];
const web = `web.dev.svc.${zone}`;

test("questions on one connection are answered as soon as each can be, not in their order", async () => {
  const clock = manualClock();
  const upstream = await startFakeUpstream(() => undefined);
  const { dns, at } = await startHere(objects, { upstreams: [upstream], clock });
  const answers = sendTcp(at, [queryFor("slow.test", "A", { id: 1 }), queryFor(web, "A", { id: 2 })], 1);
  assert.deepEqual(
    (await answers).map((answer) => read(answer).id),
    [2],
  );
  await dns.stop();
  await upstream.stop();
});

test("a hundred questions in one write, and one question in single bytes, are all answered", async () => {
  const { dns, at } = await startHere(objects);
  const many = await sendTcp(
    at,
    Array.from({ length: 100 }, (_, id) => queryFor(web, "A", { id })),
  );
  assert.deepEqual(
    many.map((answer) => read(answer).id),
    Array.from({ length: 100 }, (_, id) => id),
  );
  const socket = connect({ host: at.address, port: at.port, noDelay: true });
  for (const byte of framed(queryFor(web, "A"))) {
    await new Promise<void>((resolve) => socket.write(Buffer.from([byte]), () => resolve()));
  }
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.equal(read(answer.subarray(2)).answers.length, 1);
  socket.destroy();
  await dns.stop();
});

test("a client that ends its side first still gets the answers that wait for an upstream", async () => {
  const upstream = await startFakeUpstream(() => ({ answers: ["www.test. 60 A 192.0.2.1"] }));
  const { dns, at } = await startHere(objects, { upstreams: [upstream] });
  const socket = connect({ host: at.address, port: at.port });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.end(framed(queryFor("www.test", "A")));
  await once(socket, "close");
  assert.equal(read(Buffer.concat(chunks).subarray(2)).answers.length, 1);
  await dns.stop();
  await upstream.stop();
});

test("a connection without a question is ended after 3 s, and one that rests after 10 s", async () => {
  const clock = manualClock();
  const { dns, at } = await startHere(objects, { clock });
  const idle = connect({ host: at.address, port: at.port });
  const used = connect({ host: at.address, port: at.port });
  const ended = { idle: once(idle, "close"), used: once(used, "close") };
  used.write(framed(queryFor(web, "A")));
  await once(used, "data");
  while (clock.pending() < 2) await new Promise((resolve) => setImmediate(resolve));
  idle.resume();
  used.resume();
  clock.advance(3_000);
  await ended.idle;
  assert.equal(used.destroyed, false);
  clock.advance(7_000);
  await ended.used;
  await dns.stop();
});

test("one client cannot take all connections", async () => {
  const { dns, at } = await startHere(objects);
  const sockets = Array.from({ length: 101 }, () => connect({ host: at.address, port: at.port }));
  const closed = await Promise.race(sockets.map((socket) => once(socket, "close").then(() => socket)));
  assert.ok(sockets.includes(closed));
  const [other] = sockets.filter((socket) => socket !== closed);
  other?.write(framed(queryFor(web, "A")));
  const [answer] = (await once(other as NonNullable<typeof other>, "data")) as [Buffer];
  assert.equal(read(answer.subarray(2)).answers.length, 1);
  assert.equal((await dns.counters()).dropped["connections"], 1);
  for (const socket of sockets) socket.destroy();
  await dns.stop();
});
