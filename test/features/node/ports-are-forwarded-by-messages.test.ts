import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createConnection, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { startStreams, type StreamsOptions } from "#node/streams/server.ts";
import { forwardProtocol, parsePorts, serveWebSocketForward } from "#node/streams/websocket-forward.ts";

async function listen(t: TestContext): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A client of a server that forwards to these ports of the loopback address. */
async function forward(t: TestContext, ports: readonly number[]) {
  const target = { address: "127.0.0.1", netns: "/nonexistent" };
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  t.after(() => server.close());
  const served = new Promise<void>((resolve) => {
    server.once("connection", (socket) => void serveWebSocketForward(socket, ports, target, silentLog).then(resolve));
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, forwardProtocol);
  t.after(() => client.terminate());
  const channels = ports.flatMap(() => [Buffer.alloc(0), Buffer.alloc(0)]);
  let wake = () => {};
  client.on("message", (data: Buffer) => {
    const number = data[0] ?? 0;
    channels[number] = Buffer.concat([channels[number] ?? Buffer.alloc(0), data.subarray(1)]);
    wake();
  });
  await once(client, "open");
  const until = async (number: number, length: number) => {
    while ((channels[number]?.length ?? 0) < length) await new Promise<void>((resolve) => (wake = resolve));
    return channels[number] ?? Buffer.alloc(0);
  };
  return { client, until, served };
}

test("each port has a channel for data, which begins with its number, and carries bytes both ways", async (t) => {
  const [first, second] = [await listen(t), await listen(t)];
  const { client, until, served } = await forward(t, [first, second]);
  assert.equal((await until(0, 2)).readUInt16LE(), first);
  assert.equal((await until(1, 2)).readUInt16LE(), first);
  assert.equal((await until(2, 2)).readUInt16LE(), second);
  client.send(Buffer.concat([Buffer.from([2]), Buffer.from("to the second")]));
  assert.equal((await until(2, 15)).subarray(2).toString(), "to the second");
  const size = 4 * 1024 * 1024;
  client.send(Buffer.concat([Buffer.from([0]), Buffer.alloc(size, "x")]));
  assert.equal((await until(0, 2 + size)).length, 2 + size);
  // Nobody hears what is said on a channel that is none, or one for errors.
  for (const number of [1, 9, 255]) client.send(Buffer.from([number, 1, 2, 3]));
  client.close();
  await served;
});

test("a port that cannot be reached says why on its channel of errors, and the others go on", async (t) => {
  const open = await listen(t);
  // Nothing listens on the first of all ports.
  const closed = 1;
  const { client, until, served } = await forward(t, [closed, open]);
  const text = `error forwarding port ${closed} to pod: `;
  assert.match((await until(1, 2 + text.length)).subarray(2).toString(), new RegExp(`^${text}`));
  client.send(Buffer.concat([Buffer.from([2]), Buffer.from("still here")]));
  assert.equal((await until(2, 12)).subarray(2).toString(), "still here");
  client.close();
  await served;
});

test("ports are named once or with commas, and are ports", () => {
  assert.deepEqual(parsePorts(new URLSearchParams("ports=80&ports=443,8080")), [80, 443, 8080]);
  for (const query of [
    "",
    "ports=",
    "ports=0",
    "ports=65536",
    "ports=http",
    "ports=1.5",
    `ports=${"1,".repeat(20)}1`,
  ]) {
    assert.throws(() => parsePorts(new URLSearchParams(query)), /port/, query);
  }
});

test("the node's agent forwards by messages for clients that offer no tunnel, and refuses what names no port", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-streams-"));
  const socketPath = join(folder, "streams.sock");
  const sandbox = { config: { uid: "u" }, state: "ready", address: "127.0.0.1", netns: "/nonexistent" };
  const found = { worker: { uid: "u" }, runtime: { listSandboxes: () => [sandbox] } };
  const find = () => found as unknown as ReturnType<StreamsOptions["find"]>;
  const streams = await startStreams({ socketPath, find, log: silentLog, clock: systemClock });
  t.after(async () => {
    await streams.stop();
    rmSync(folder, { recursive: true });
  });
  const open = (query: string, ...protocols: string[]) =>
    new WebSocket(`ws://agent/portForward/dev/web${query}`, protocols, {
      createConnection: () => createConnection(socketPath),
    });
  const port = await listen(t);
  const client = open(`?ports=${port}`, "v5.channel.k8s.io", "v4.channel.k8s.io");
  const [first] = (await once(client, "message")) as [Buffer];
  assert.equal(client.protocol, forwardProtocol);
  assert.equal(first.readUInt16LE(1), port);
  client.terminate();
  for (const [query, protocol, code] of [
    ["", forwardProtocol, 400],
    ["?ports=none", forwardProtocol, 400],
    [`?ports=${port}`, "v5.channel.k8s.io", 403],
  ] as const) {
    const refused = open(query, protocol);
    refused.on("error", () => {});
    const [, response] = (await once(refused, "unexpected-response")) as [unknown, IncomingMessage];
    assert.equal(response.statusCode, code);
    refused.terminate();
  }
});
