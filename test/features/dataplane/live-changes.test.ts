import assert from "node:assert/strict";
import { test } from "node:test";
import { backend, change, dial, httpEndpoint, ask, host, rawEndpoint, route, simple, startPlane } from "./harness.ts";

test("a thousand changes under load fail no request", async (t) => {
  const { plane, port } = await startPlane(t);
  const ports = await Promise.all([1, 2, 3].map(() => httpEndpoint(t, (_, response) => void response.end("ok"))));
  await plane.apply(simple(ports));
  const load = { stop: false };
  let served = 0;
  const loads = Array.from({ length: 8 }, async () => {
    while (!load.stop) {
      const client = await dial(t, port);
      for (let count = 0; count < 50 && !load.stop; count += 1) {
        client.text = "";
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert.match(await client.until(/ok(\r\n0\r\n\r\n)?$/), /^HTTP\/1.1 200 OK\r\n/);
        served += 1;
      }
      client.socket.destroy();
    }
  });
  for (let count = 0; count < 1000; count += 1) {
    const kept = ports.filter((_, index) => index !== count % 3);
    await plane.apply(
      change({
        hosts: [host("*", [route(`r${count % 7}`, {})]), host(`h${count}.example`, [route(`h${count}`, {})])],
        backends: [backend("b", kept), backend(`b${count}`, kept)],
      }),
    );
    await plane.apply(change({ hosts: [[`h${count}.example`, undefined]], backends: [[`b${count}`, undefined]] }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  load.stop = true;
  await Promise.all(loads);
  assert.ok(served > 100, `${served} requests were served meanwhile`);
  assert.deepEqual(await plane.failures(), []);
  assert.deepEqual([...plane.counters().backends.keys()], ["b"]);
});

test("a removed endpoint finishes what it does and gets nothing new; its idle connections close", async (t) => {
  const { plane, port } = await startPlane(t);
  const { promise: asked, resolve: ask1 } = Promise.withResolvers<() => void>();
  const { promise: bothClosed, resolve: resolveClosed } = Promise.withResolvers<void>();
  let closed = 0;
  const old = await rawEndpoint(t, (socket) => {
    socket.on("close", () => {
      closed += 1;
      if (closed === 2) resolveClosed();
    });
    socket.on("data", (bytes) => {
      const answer = () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
      if (bytes.toString().startsWith("GET /slow")) ask1(answer);
      else answer();
    });
  });
  const fresh = await httpEndpoint(t, (_, response) => void response.end("new"));
  await plane.apply(simple([old]));
  const slow = await dial(t, port);
  slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  const answer = await asked;
  assert.equal((await ask(t, port, "GET /")).body, "old");
  await plane.apply(change({ backends: [backend("b", [fresh])] }));
  assert.match((await ask(t, port, "GET /")).body, /new/);
  answer();
  assert.match(await slow.until(/old$/), /^HTTP\/1.1 200 OK/);
  await bothClosed;
});

test("stopping lets requests under way end, and tells their clients that it was the last", async (t) => {
  const { plane, port } = await startPlane(t);
  const { promise: asked, resolve } = Promise.withResolvers<() => void>();
  const endpoint = await httpEndpoint(t, (_, response) => resolve(() => response.end("done")));
  await plane.apply(simple([endpoint]));
  const idle = await dial(t, port);
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const answer = await asked;
  const stopped = plane.stop({ drainMs: 10_000 });
  assert.equal(await idle.end(), "");
  await assert.rejects(dial(t, port));
  answer();
  assert.match(await client.end(), /^HTTP\/1.1 200 OK\r\n[^]*Connection: close\r\n[^]*done/);
  await stopped;
});
