import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { createServer } from "node:http";
import { dial, listening, rawEndpoint, simple, startPlane } from "./harness.ts";

test("a WebSocket goes through, both ways, and closes both ways", async (t) => {
  const { plane, port } = await startPlane(t);
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  await plane.apply(simple([await listening(t, server)]));
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const big = "x".repeat(3 << 20);
  for (const message of ["hello", big]) {
    socket.send(message);
    const [data] = await new Promise<[Buffer]>((resolve) => socket.once("message", (data: Buffer) => resolve([data])));
    assert.equal(data.toString() === message, true);
  }
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (const peer of sockets.clients) peer.close(1000);
  assert.equal(await closed, 1000);
});

test("bytes sent right behind the upgrade request arrive after 101", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.once("data", (head) => {
      assert.match(head.toString(), /\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n$/);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst;");
      socket.pipe(socket);
    });
  });
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly;");
  await client.until(/early;/);
  client.send("late;");
  const text = await client.until(/late;/);
  assert.match(
    text,
    /^HTTP\/1.1 101 Switching Protocols\r\n(Upgrade: echo\r\nConnection: upgrade)\r\n\r\nfirst;early;late;$/,
  );
});

test("nobody switches protocols unasked, and h2c is not passed on", async (t) => {
  const { plane, port } = await startPlane(t);
  const heads: string[] = [];
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.once("data", (head) => {
      heads.push(head.toString());
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    });
  });
  await plane.apply(simple([endpoint]));
  for (const fields of ["", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"]) {
    const client = await dial(t, port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
    assert.match(await client.until(/<\/html>/), /^HTTP\/1.1 502 /);
  }
  for (const head of heads) assert.doesNotMatch(head, /upgrade|http2/i);
});

test("a refused upgrade is an answer like any other", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  });
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  assert.match(await client.until(/no$/), /^HTTP\/1.1 403 Forbidden\r\n/);
  client.text = "";
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.match(await client.until(/no$/), /^HTTP\/1.1 403 /);
});
