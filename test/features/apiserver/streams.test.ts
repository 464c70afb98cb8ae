import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { connect } from "node:net";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { ask, start, startTestServer, type TestServer } from "../../fakes/api-server.ts";

const admin = { name: "test", groups: ["system:masters"] };

test("a Pod's streams reach its node's agent: path mapped, credentials kept back, bytes and ends passed both ways", async (t) => {
  const node = await startNode();
  const server = await startTestServer({ connectNode: async (name) => node.connect(name) });
  t.after(() => server.stop());
  t.after(() => node.stop());
  await createPods(server);

  const path = "/api/v1/namespaces/n/pods/p/exec?command=sh&command=-c&command=a%20b&stdin=true&stdout=true&tty=false";
  const request = start(server, path, {
    method: "POST",
    headers: {
      Connection: "Upgrade",
      Upgrade: "SPDY/3.1",
      Authorization: "Bearer secret",
      "X-Stream-Protocol-Version": "v4.channel.k8s.io",
    },
  });
  request.end();
  const agent = await node.accepted();
  const head = await readUntil(agent, "\r\n\r\n");
  assert.match(head, /^POST \/exec\/n\/p\/main\?command=sh&command=-c&command=a\+b&input=1&output=1 HTTP\/1\.1\r\n/);
  assert.match(head, /x-stream-protocol-version: v4\.channel\.k8s\.io/i);
  assert.match(head, /upgrade: SPDY\/3\.1/i);
  assert.doesNotMatch(head, /secret/);
  agent.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhello");
  const [response, client, first] = (await once(request, "upgrade")) as [{ statusCode: number }, Socket, Buffer];
  assert.equal(response.statusCode, 101);
  const heard = first.length > 0 ? first.toString() : await readUntil(client, "hello");
  assert.equal(heard, "hello");

  // More than any buffer holds, both ways at once.
  const size = 8 * 1024 * 1024;
  const counted = Promise.all([count(agent, size), count(client, size)]);
  client.write(Buffer.alloc(size, "c"));
  agent.write(Buffer.alloc(size, "a"));
  assert.deepEqual(await counted, [size, size]);

  // One half ends; the other still speaks.
  client.end();
  await once(agent, "end");
  agent.end("goodbye");
  assert.equal(await readUntil(client, "goodbye"), "goodbye");
  await once(client, "close");
});

test("streams that cannot be are refused before anything is joined", async (t) => {
  const server = await startTestServer({ connectNode: () => Promise.reject(new Error("agent is away")) });
  t.after(() => server.stop());
  await createPods(server);
  const pod = (name: string) => `/api/v1/namespaces/n/pods/${name}`;
  const upgrade = async (path: string, who?: "nobody") => {
    const request = start(server, path, { headers: { Connection: "Upgrade", Upgrade: "websocket" } }, who);
    request.end();
    const [response] = (await once(request, "response")) as [NodeJS.ReadableStream & { statusCode: number }];
    let body = "";
    for await (const chunk of response) body += String(chunk);
    return { code: response.statusCode, message: String(JSON.parse(body).message) };
  };
  const expectRefusal = async (path: string, code: number, text: RegExp, who?: "nobody") => {
    const answer = await upgrade(path, who);
    assert.equal(answer.code, code, answer.message);
    assert.match(answer.message, text);
  };
  await expectRefusal(`${pod("none")}/exec?command=x`, 404, /^pods "none" not found$/);
  await expectRefusal(`${pod("waiting")}/exec?command=x`, 400, /^pod waiting does not have a host assigned$/);
  await expectRefusal(`${pod("p")}/exec?command=x&container=none`, 400, /^container none is not valid for pod p$/);
  await expectRefusal(`${pod("two")}/exec?command=x`, 400, /must be specified for pod two, choose one of: \[a b\]/);
  await expectRefusal(`${pod("p")}/portforward`, 503, /agent of node "node-1" cannot be reached: agent is away/);
  await expectRefusal(`${pod("p")}/exec?command=x`, 401, /^Unauthorized$/, "nobody");
  const plain = await ask(server, `${pod("p")}/exec?command=x`, { method: "POST" });
  assert.equal(plain.code, 400);
  assert.match(plain.body.toString(), /Upgrade request required/);
});

test("a Pod's log comes from its node as it is written", async (t) => {
  const node = await startNode();
  const server = await startTestServer({ connectNode: async (name) => node.connect(name) });
  t.after(() => server.stop());
  t.after(() => node.stop());
  await createPods(server);
  const request = start(server, "/api/v1/namespaces/n/pods/p/log?follow=true&tailLines=5&evil=1", {});
  request.end();
  const agent = await node.accepted();
  const head = await readUntil(agent, "\r\n\r\n");
  assert.match(head, /^GET \/containerLogs\/n\/p\/main\?follow=true&tailLines=5 HTTP\/1\.1/);
  agent.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n");
  const [response] = (await once(request, "response")) as [Duplex & { headers: Record<string, string> }];
  assert.equal(response.headers["content-type"], "text/plain");
  assert.equal(await readUntil(response, "first\n"), "first\n");
  agent.write("7\r\nsecond\n\r\n0\r\n\r\n");
  assert.equal(await readUntil(response, "second\n"), "second\n");
  const over = once(response, "end");
  response.resume();
  await over;

  const waiting = await ask(server, "/api/v1/namespaces/n/pods/waiting/log");
  assert.equal(waiting.code, 200);
  assert.equal(waiting.body.length, 0);
});

async function createPods(server: TestServer): Promise<void> {
  const client = server.localClient(admin);
  await client.create("Namespace", { metadata: { name: "n" } });
  const pod = (name: string, nodeName: string | undefined, containers: string[]) =>
    client.create("Pod", {
      metadata: { namespace: "n", name },
      spec: { nodeName, containers: containers.map((name) => ({ name, image: "image" })) },
    });
  await pod("p", "node-1", ["main"]);
  await pod("two", "node-1", ["a", "b"]);
  await pod("waiting", undefined, ["main"]);
}

/** Stands for the agents: hands each connection to the test. */
async function startNode() {
  const sockets: Socket[] = [];
  let wake = () => {};
  const listener: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    wake();
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  return {
    async connect(name: string): Promise<Duplex> {
      assert.equal(name, "node-1");
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      await once(socket, "connect");
      return socket;
    },
    async accepted(): Promise<Socket> {
      while (sockets.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return sockets.shift() as Socket;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

/** What comes until the text is there. */
function readUntil(stream: NodeJS.ReadableStream, text: string): Promise<string> {
  return new Promise((resolve) => {
    let read = "";
    const take = (chunk: Buffer) => {
      read += chunk.toString();
      if (!read.includes(text)) return;
      stream.off("data", take);
      stream.pause();
      resolve(read);
    };
    stream.on("data", take);
    stream.resume();
  });
}

function count(stream: NodeJS.ReadableStream, size: number): Promise<number> {
  return new Promise((resolve) => {
    let read = 0;
    const take = (chunk: Buffer) => {
      read += chunk.length;
      if (read < size) return;
      stream.off("data", take);
      resolve(read);
    };
    stream.on("data", take);
    stream.resume();
  });
}
