import assert from "node:assert/strict";
import { test } from "node:test";
import { dial, echoEndpoint, quick, rawEndpoint, simple, startPlane } from "./harness.ts";

test("a client that waits for 100 gets it once its request may go on", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  assert.equal(await client.until(/\r\n\r\n/), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  const text = await client.until(/body 5/);
  assert.doesNotMatch(text, /Expect/);
});

test("a head that drips in too slowly is 408, a silent connection is closed", async (t) => {
  const { port } = await startPlane(t, { limits: { ...quick, headerMs: 60, keepAliveMs: 1000 } });
  const silent = await dial(t, port);
  const slow = await dial(t, port);
  slow.send("GET / HTTP/1.1\r\nHo");
  assert.match(await slow.end(), /^HTTP\/1.1 408 Request Time-out\r\n/);
  assert.equal(await silent.end(), "");
});

test("an idle connection is closed after its time", async (t) => {
  const { plane, port } = await startPlane(t, { limits: { ...quick, keepAliveMs: 40 } });
  await plane.apply(simple([await echoEndpoint(t)]));
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.match(await client.end(), /^HTTP\/1.1 200 OK\r\n/);
});

test("a body that stops coming is 408", async (t) => {
  const { plane, port } = await startPlane(t, { limits: { ...quick, clientIdleMs: 40 } });
  await plane.apply(simple([await rawEndpoint(t, (socket) => void socket.resume())]));
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  assert.match(await client.end(), /^HTTP\/1.1 408 /);
});

test("a connection ends with its last allowed request, which says so", async (t) => {
  const { plane, port } = await startPlane(t, { limits: { ...quick, requestsPerConnection: 3 } });
  await plane.apply(simple([await echoEndpoint(t)]));
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5));
  const text = await client.end();
  assert.equal(text.match(/HTTP\/1.1 200 OK/g)?.length, 3);
  assert.equal(text.match(/Connection: close/g)?.length, 1);
});

test("a worker holds no more connections than it may", async (t) => {
  const { port } = await startPlane(t, { limits: { ...quick, connections: 2 } });
  const held = [await dial(t, port), await dial(t, port)];
  for (const client of held) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until(/<\/html>/);
  }
  const refused = await dial(t, port);
  assert.equal(await refused.end(), "");
});

test("HTTP/1.0 keeps its connection only when asked to", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  await plane.apply(simple([endpoint]));
  const keeping = await dial(t, port);
  keeping.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  assert.match(await keeping.until(/ok$/), /\r\nConnection: keep-alive\r\n/);
  keeping.send("GET / HTTP/1.0\r\n\r\n");
  assert.match(await keeping.end(), /\r\nConnection: close\r\n\r\nok$/);
});

test("the endpoint learns that the client left", async (t) => {
  const { plane, port } = await startPlane(t);
  const { promise: left, resolve } = Promise.withResolvers<void>();
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", () => ask());
    socket.on("close", () => resolve());
  });
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await asked;
  client.socket.destroy();
  await left;
});

test("an answer that comes before the whole body ends the connection cleanly", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  });
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome");
  await client.until(/no$/);
  client.send("x".repeat(99_996));
  assert.match(await client.end(), /^HTTP\/1.1 403 Forbidden\r\n[^]*Connection: close\r\n\r\nno$/);
});
