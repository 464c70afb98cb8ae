import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { test } from "node:test";
import { ask, byToken, letDoAll, ordinary, start, startTestServer } from "../../fakes/api-server.ts";

const admin = { name: "test", groups: ["system:masters"] };

test("clients that stop half-way hold up nobody else", async (t) => {
  const server = await startTestServer();
  const port = server.addresses()[0]?.port ?? 0;
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return server.stop();
  });
  const { ca, admin: proof } = server.certificates;
  const raw = async (text: string) => {
    const socket = connectTcp(port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
    socket.write(text);
  };
  const http = async (text: string) => {
    const socket = connectTls({ port, host: "127.0.0.1", ca, ...proof }).on("error", () => {});
    sockets.push(socket);
    await once(socket, "secureConnect");
    socket.write(text);
    return socket;
  };
  await raw("");
  await raw("\u0016\u0003\u0001");
  await raw("GET / HTTP/1.1\r\n\r\n");
  await http("");
  await http("GET /api/v1/pods HTT");
  await http("POST /api/v1/namespaces HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
  await http("POST /api/v1/namespaces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{");
  const wrong = await http("NONSENSE\r\n\r\n");
  const [answer] = (await once(wrong, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1.1 400 /);
  // A body that is announced as too large is refused before it comes.
  const large = await http("POST /api/v1/namespaces HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n");
  const [refused] = (await once(large, "data")) as [Buffer];
  assert.match(refused.toString(), /^HTTP\/1.1 413 /);

  const created = await ask(server, "/api/v1/namespaces", { method: "POST", body: '{"metadata":{"name":"n"}}' });
  assert.equal(created.code, 201);
});

test("a long answer that nobody reads counts as a request on its way, and is given up after a while", async (t) => {
  const server = await startTestServer({ limits: { atOnce: 2 }, stalledMs: 2000, tokens: [ordinary] });
  t.after(() => server.stop());
  await letDoAll(server);
  const client = server.localClient(admin);
  await client.create("Namespace", { metadata: { name: "n" } });
  for (let index = 0; index < 20; index += 1) {
    const data = { text: "x".repeat(900_000) };
    await client.create("ConfigMap", { metadata: { name: `big-${index}`, namespace: "n" }, data });
  }
  const { headers = {}, who } = byToken(ordinary.token);
  const asleep = [1, 2].map(() => start(server, "/api/v1/configmaps", { headers }, who));
  const cutOff = asleep.map(async (request) => {
    request.on("error", () => {});
    request.end();
    const [response] = (await once(request, "response")) as [NodeJS.ReadableStream & { socket: Socket }];
    // Nothing is read: what the kernel does not hold waits in the server.
    response.on("error", () => {});
    response.socket.pause();
    return response;
  });
  const responses = await Promise.all(cutOff);
  assert.equal((await ask(server, "/api/v1/namespaces/n", byToken(ordinary.token))).code, 429);
  const deadline = performance.now() + 30_000;
  while ((await ask(server, "/api/v1/namespaces/n", byToken(ordinary.token))).code === 429) {
    assert.ok(performance.now() < deadline, "the answers were not given up");
  }
  for (const response of responses) response.socket.destroy();
});
