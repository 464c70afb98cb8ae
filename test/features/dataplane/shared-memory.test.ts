import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { test, type TestContext } from "node:test";
import {
  backend,
  change,
  dial,
  echoEndpoint,
  host,
  httpEndpoint,
  rawEndpoint,
  route,
  simple,
  startPlane,
} from "./harness.ts";

// Connections of clients read into the same memory. Whatever is needed later has to be somewhere else by then: these
// tests let others read between two moments of one request.

/** Other clients send what would be seen if it were read over somebody's bytes. */
async function disturb(t: TestContext, port: number): Promise<void> {
  for (let count = 0; count < 3; count += 1) {
    const client = await dial(t, port);
    client.send(
      `POST /DISTURBED${"!".repeat(2000)} HTTP/1.1\r\nHost: other\r\nConnection: close\r\nContent-Length: 3000\r\n\r\n`,
    );
    client.send("!".repeat(3000));
    await client.end();
  }
}

const quiet = { match: { type: "prefix", path: "/" }, answer: 404 } as const;

test("a request that is sent again is the client's own, with its body", async (t) => {
  const { plane, port } = await startPlane(t);
  const taken: Socket[] = [];
  const first = await rawEndpoint(t, (socket) => void socket.once("data", () => taken.push(socket)));
  await plane.apply(
    change({
      hosts: [host("a", [route("a", {})]), host("*", [route("other", quiet)])],
      backends: [backend("b", [first])],
    }),
  );
  const get = await dial(t, port);
  get.send("GET /mine HTTP/1.1\r\nHost: a\r\nX-Mine: 1\r\nConnection: close\r\n\r\n");
  const put = await dial(t, port);
  put.send(`PUT /mine HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3000\r\n\r\n${"x".repeat(3000)}`);
  while (taken.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await disturb(t, port);
  const second = await httpEndpoint(t, (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => response.end(`${request.method} ${request.url} ${/^x*$/.test(body)} ${body.length}`));
  });
  await plane.apply(change({ backends: [backend("b", [first, second])] }));
  for (const socket of taken) socket.destroy();
  assert.match(await get.end(), /GET \/mine true 0/);
  assert.match(await put.end(), /PUT \/mine true 3000/);
});

test("a request that waits for its turn is sent as it came", async (t) => {
  const { plane, port } = await startPlane(t);
  const held: [IncomingMessage, ServerResponse][] = [];
  const endpoint = await httpEndpoint(t, (request, response) => void held.push([request, response]));
  await plane.apply(
    change({
      hosts: [host("a", [route("a", {})]), host("*", [route("other", quiet)])],
      backends: [backend("b", [endpoint], { limits: { connections: 1, pending: 5 } })],
    }),
  );
  const first = await dial(t, port);
  first.send("GET /first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
  const second = await dial(t, port);
  second.send(
    `POST /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3000\r\n\r\n${"y".repeat(3000)}`,
  );
  while (plane.counters().backends.get("b")?.open !== 2) await new Promise((resolve) => setImmediate(resolve));
  await disturb(t, port);
  held[0]?.[1].end();
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const [request, response] = held[1] ?? assert.fail("none");
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  await new Promise((resolve) => request.on("end", resolve));
  assert.equal(request.url, "/second");
  assert.equal(body, "y".repeat(3000));
  response.end();
  assert.match(await second.end(), /^HTTP\/1.1 200 /);
});

test("what came of a head, and what came too early, waits unharmed", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await echoEndpoint(t);
  await plane.apply(
    change({
      hosts: [host("a", [route("a", {})]), host("*", [route("other", quiet)])],
      backends: [backend("b", [endpoint])],
    }),
  );
  const parted = await dial(t, port);
  parted.send("GET /parted HTTP/1.1\r\nHost: a\r\nX-Par");
  const piped = await dial(t, port);
  piped.send(
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /3 HTTP/1.1\r\n",
  );
  await disturb(t, port);
  parted.send("ted: yes\r\nConnection: close\r\n\r\n");
  assert.match(await parted.end(), /GET \/parted\n[^]*X-Parted: yes/);
  const text = await piped.end();
  assert.match(text, /GET \/1\n[^]*GET \/2\n/);
  assert.doesNotMatch(text, /DISTURBED|other/);
});

test("a body that an endpoint does not take yet is not read over", async (t) => {
  const { plane, port } = await startPlane(t);
  const sockets: Socket[] = [];
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.pause();
    sockets.push(socket);
  });
  await plane.apply(simple([endpoint]));
  const size = 16 << 20;
  const client = await dial(t, port);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  for (let sent = 0; sent < size; sent += 1 << 20) client.send("z".repeat(1 << 20));
  // The others are held up just the same: their bytes are read all the same.
  const others = await Promise.all(Array.from({ length: 3 }, () => dial(t, port)));
  for (const other of others)
    other.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${"!".repeat(4 << 20)}`);
  while (sockets.length < 4) await new Promise((resolve) => setImmediate(resolve));
  let right = 0;
  for (const socket of sockets) {
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      const from = text.includes("\r\n\r\n") ? 0 : bytes.indexOf("\r\n\r\n") + 4;
      if (from > 0) text += bytes.toString("latin1", 0, from);
      const mark = bytes[from];
      assert.ok(bytes.subarray(from).every((byte) => byte === mark));
      if (mark === 0x7a) right += bytes.length - from;
    });
    socket.resume();
  }
  while (right < size) await new Promise((resolve) => setImmediate(resolve));
});
