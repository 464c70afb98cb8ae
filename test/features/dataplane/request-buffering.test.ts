import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { connect, createServer, type ServerHttp2Stream } from "node:http2";
import { test, type TestContext } from "node:test";
import type { RetryRules } from "#dataplane/table.ts";
import { eventually } from "../../fakes/eventually.ts";
import {
  ask,
  backend,
  change,
  dial,
  field,
  host,
  httpEndpoint,
  listening,
  quick,
  rawEndpoint,
  replyOf,
  route,
  simple,
  startPlane,
  type Plane,
} from "./harness.ts";

const memory = 1000;

/** Says how a body was framed, how long it was and what was in it. */
function digestEndpoint(t: TestContext): Promise<number> {
  return httpEndpoint(t, (request, response) => {
    const hash = createHash("sha256");
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      hash.update(chunk);
      length += chunk.length;
    });
    const { "transfer-encoding": coding = "plain", "content-length": told = "none" } = request.headers;
    request.on("end", () => response.end(`${coding} ${told} ${length} ${hash.digest("hex")}`));
  });
}

const digestOf = (body: Buffer, coding = "plain") =>
  `${coding} ${body.length} ${body.length} ${createHash("sha256").update(body).digest("hex")}`;

async function start(t: TestContext, ports: readonly number[], retry: Partial<RetryRules> = {}): Promise<Plane> {
  const started = await startPlane(t);
  await started.plane.apply(simple(ports, { gather: memory, retry }));
  return started;
}

/** Files of this process that have no name any more. */
function unnamedFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.endsWith(" (deleted)") && target.startsWith("/") ? [target] : [];
    } catch {
      return [];
    }
  });
}

test("the endpoint is asked when all of the body is here, and not before", async (t) => {
  let asked = 0;
  const quiet = await rawEndpoint(t, (socket: Socket) => {
    asked += 1;
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
  });
  const { plane, port } = await startPlane(t);
  const other = await digestEndpoint(t);
  const routes = [
    route("gathers", { gather: memory, match: { type: "prefix", path: "/gathers" } }),
    route("other", { backend: "other" }),
  ];
  const backends = [backend("b", [quiet]), backend("other", [other])];
  await plane.apply(change({ hosts: [host("*", routes)], backends }));
  const client = await dial(t, port);
  client.send("POST /gathers HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n12345");
  // Whoever comes later is served meanwhile.
  assert.equal((await ask(t, port, "GET /")).status, 200);
  assert.equal(asked, 0);
  client.send("67890");
  assert.equal(replyOf(await client.end()).body, "done");
  assert.equal(asked, 1);
});

test("chunks are taken apart: the endpoint is told a length, and no trailers", async (t) => {
  const { port } = await start(t, [await digestEndpoint(t)]);
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
  client.send("lo\r\n6;x=y\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n");
  assert.equal(replyOf(await client.end()).body, digestOf(Buffer.from("hello world")));
});

test("a chunked body that came with its head gets a length, too, and the connection goes on", async (t) => {
  const { port } = await start(t, [await digestEndpoint(t)]);
  const client = await dial(t, port);
  const one = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  client.send(one + one.replace("Host: a", "Host: a\r\nConnection: close"));
  const text = await client.end();
  assert.equal(text.split(digestOf(Buffer.from("hello"))).length - 1, 2);
});

test("a body beyond its memory goes through a file without a name, and nothing of it is left", async (t) => {
  const { port } = await start(t, [await digestEndpoint(t)]);
  const body = randomBytes(3_000_000);
  const client = await dial(t, port);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`);
  client.socket.write(body.subarray(0, 2_000_000));
  await eventually(() => unnamedFiles().length === 1);
  client.socket.write(body.subarray(2_000_000));
  assert.equal(replyOf(await client.end()).body, digestOf(body));
  await eventually(() => unnamedFiles().length === 0);
});

for (const size of [500, 60_000, 500_000, 3_000_000]) {
  test(`a POST of ${size} bytes goes to another endpoint as a whole`, async (t) => {
    let failed = 0;
    const failing = await rawEndpoint(t, (socket: Socket) => {
      let got = 0;
      socket.on("data", (bytes) => {
        got += bytes.length;
        if (got < Math.min(size, 100_000) || failed > 0) return;
        failed += 1;
        socket.destroy();
      });
    });
    const { port } = await start(t, [failing, await digestEndpoint(t)], { on: ["error", "non_idempotent"] });
    const body = randomBytes(size);
    const client = await dial(t, port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.socket.write(body);
    assert.equal(replyOf(await client.end()).body, digestOf(body));
    assert.equal(failed, 1);
  });
}

test("what files may take is limited: 503, and the reason is told", async (t) => {
  const { plane, port } = await startPlane(t, { limits: { ...quick, spoolBytes: 100_000 } });
  await plane.apply(simple([await digestEndpoint(t)], { gather: memory }));
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 500000\r\n\r\n");
  client.socket.write(randomBytes(500_000));
  assert.equal(replyOf(await client.until(/\r\n\r\n/)).status, 503);
  const [failure] = await plane.failures();
  assert.match(failure?.reason ?? "", /bodies of requests take \d+ bytes in .*, there is no room for more/);
  // What it had is free again.
  const next = await dial(t, port);
  next.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 90000\r\n\r\n");
  const body = randomBytes(90_000);
  next.socket.write(body);
  assert.equal(replyOf(await next.end()).body, digestOf(body));
});

test("a client that leaves takes its body along", async (t) => {
  const { plane, port } = await start(t, [await digestEndpoint(t)]);
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
  client.socket.write(randomBytes(1_000_000));
  await eventually(() => unnamedFiles().length === 1);
  client.socket.destroy();
  await eventually(() => unnamedFiles().length === 0);
  await eventually(() => plane.counters().total.open === 0);
});

test("an endpoint that answers before it has the body is heard", async (t) => {
  const early = await rawEndpoint(t, (socket: Socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge"));
    socket.on("data", () => socket.pause());
  });
  const { port } = await start(t, [early]);
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 20000000\r\n\r\n");
  client.socket.write(randomBytes(20_000_000));
  const reply = replyOf(await client.end());
  assert.deepEqual([reply.status, reply.body], [413, "large"]);
  await eventually(() => unnamedFiles().length === 0);
});

test("a client that waits for 100 is told to go on before the endpoint is asked", async (t) => {
  const { port } = await start(t, [await digestEndpoint(t)]);
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  assert.match(await client.until(/100 Continue\r\n\r\n/), /^HTTP\/1.1 100 Continue/);
  client.send("hello");
  const text = await client.end();
  assert.ok(text.endsWith(digestOf(Buffer.from("hello"))), text);
  assert.equal(text.split("100 Continue").length, 2);
});

test("a body that grows too large while it is read is refused, and its endpoint never asked", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await digestEndpoint(t)], { gather: memory, maxBodyBytes: 5000 }));
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (let count = 0; count < 10; count += 1) client.send(`3e8\r\n${"x".repeat(1000)}\r\n`);
  assert.equal(replyOf(await client.until(/\r\n\r\n/)).status, 413);
  assert.deepEqual((await plane.failures())[0]?.endpoint, undefined);
});

test("a body over HTTP/2 without a length gets one", async (t) => {
  const { port } = await start(t, [await digestEndpoint(t)]);
  const session = connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": "/" }, { endStream: false });
  const body = randomBytes(2_000_000);
  stream.end(body);
  let text = "";
  for await (const bytes of stream.setEncoding("latin1")) text += String(bytes);
  assert.equal(text, digestOf(body));
});

test("to an endpoint that speaks HTTP/2 a body streams: gRPC talks both ways at once", async (t) => {
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200 });
    stream.pipe(stream);
  });
  const endpoint = await listening(t, server);
  const { plane, port } = await startPlane(t);
  const routes = [route("r", { gather: memory })];
  await plane.apply(change({ hosts: [host("*", routes)], backends: [backend("b", [endpoint], { protocol: "h2" })] }));
  const session = connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": "/" }, { endStream: false });
  stream.write("ping");
  const [echo] = (await once(stream, "data")) as [Buffer];
  assert.equal(echo.toString(), "ping");
  stream.close();
});

test("an upgrade waits for nothing", async (t) => {
  const { port } = await start(t, [
    await rawEndpoint(t, (socket: Socket) => {
      socket.once("data", () =>
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"),
      );
    }),
  ]);
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  assert.equal(field(await client.until(/\r\n\r\n/), "Upgrade"), "echo");
});
