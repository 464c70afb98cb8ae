import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { flag, frameType } from "#wire/http2/frame.ts";
import { setting } from "#wire/http2/settings.ts";
import { dialHttp2, frame, uint32 } from "./http2-peer.ts";
import { echoEndpoint, httpEndpoint, quick, rawEndpoint, simple, startPlane } from "./harness.ts";

/** Node's own client of HTTP/2, by prior knowledge. */
function session(t: TestContext, port: number): ClientHttp2Session {
  const client = connect(`http://127.0.0.1:${port}`);
  client.on("error", () => {});
  t.after(() => client.destroy());
  return client;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly informational: readonly number[];
  readonly body: string;
}

async function ask(client: ClientHttp2Session, fields: OutgoingHttpHeaders, body?: Buffer | string): Promise<Reply> {
  const stream = client.request(fields, { endStream: body === undefined });
  let trailers: IncomingHttpHeaders = {};
  const informational: number[] = [];
  stream.on("trailers", (fields: IncomingHttpHeaders) => (trailers = fields));
  stream.on("headers", (fields: IncomingHttpHeaders) => informational.push(Number(fields[":status"])));
  if (body !== undefined) stream.end(body);
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
  let text = "";
  for await (const part of stream) text += (part as Buffer).toString("latin1");
  return { status: Number(headers[":status"]), headers, trailers, informational, body: text };
}

test("Node's client is served: methods, fields, bodies with and without a length, many at once", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  const client = session(t, port);
  const get = await ask(client, { ":path": "/a?b", "x-one": "1", cookie: ["a=b", "c=d"] });
  assert.equal(get.status, 200);
  assert.match(get.body, /^GET \/a\?b\nhost: 127\.0\.0\.1:\d+\nx-one: 1\ncookie: a=b; c=d\n/);
  assert.match(get.body, /X-Forwarded-Proto: http\n/);
  const big = Buffer.alloc(3 << 20, "x");
  const sized = await ask(client, { ":method": "POST", ":path": "/", "content-length": big.length }, big);
  assert.match(sized.body, new RegExp(`content-length: ${big.length}\n[^]*body ${big.length}\n$`));
  const unsized = await ask(client, { ":method": "PUT", ":path": "/" }, big);
  assert.match(unsized.body, new RegExp(`transfer-encoding: chunked\n[^]*body ${big.length}\n$`));
  const many = await Promise.all(Array.from({ length: 100 }, (_, at) => ask(client, { ":path": `/${at}` })));
  for (const [at, { body }] of many.entries()) assert.ok(body.startsWith(`GET /${at}\n`));
});

test("answers of every shape arrive: lengths, chunks, until close, trailers, HEAD, 204, 304", async (t) => {
  const { plane, port } = await startPlane(t);
  const answers: Readonly<Record<string, string>> = {
    "/length": "200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\nhello",
    "/chunks": "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
    "/trailers": "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Check: good\r\n\r\n",
    "/only-trailers": "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Check: good\r\n\r\n",
    "/close": "200 OK\r\n\r\nhello",
    "/interim": "103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "/204": "204 No Content\r\nContent-Length: 0\r\n\r\n",
    "/304": "304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\n\r\n",
    "/head": "200 OK\r\nContent-Length: 5\r\n\r\n",
  };
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", (bytes) => {
      const path = bytes.toString("latin1").split(" ")[1] ?? "";
      socket.write(`HTTP/1.1 ${answers[path]}`);
      if (path === "/close") socket.end();
    });
  });
  await plane.apply(simple([endpoint]));
  const client = session(t, port);
  for (const path of Object.keys(answers)) {
    const { status, headers, body, trailers } = await ask(client, {
      ":path": path,
      ":method": path === "/head" ? "HEAD" : "GET",
    });
    assert.equal(status, /^\/\d+$/.test(path) ? Number(path.slice(1)) : 200, path);
    assert.equal(body, /^\/(\d+|head|only-trailers)$/.test(path) ? "" : "hello", path);
    assert.equal(trailers["x-check"], path.includes("trailers") ? "good" : undefined, path);
    for (const name of ["connection", "transfer-encoding", "x-hop"]) assert.equal(headers[name], undefined);
    if (path === "/head") assert.equal(headers["content-length"], "5");
    if (path === "/204") assert.equal(headers["content-length"], undefined);
  }
});

test("a client that waits for 100 is told to go on", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  const client = session(t, port);
  const stream = client.request({ ":method": "POST", expect: "100-continue" }, { endStream: false });
  await once(stream, "continue");
  stream.end("hello");
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
  assert.equal(headers[":status"], 200);
});

test("our own answers have a page, its length, and the fields of the route", async (t) => {
  const { plane, port } = await startPlane(t);
  const filters = [{ type: "response-headers", set: [["X-Own", "1"]] }] as const;
  await plane.apply(simple([], { answer: 404, filters }));
  const client = session(t, port);
  const { status, headers, body } = await ask(client, { ":path": "/" });
  assert.equal(status, 404);
  assert.equal(headers["x-own"], "1");
  assert.equal(headers["content-length"], String(body.length));
  assert.match(body, /404 Not Found/);
});

test("a client of gRPC hears of our own failures in its own words", async (t) => {
  const { plane, port } = await startPlane(t);
  const client = session(t, port);
  const grpc = { ":method": "POST", "content-type": "application/grpc+proto", te: "trailers" };
  for (const [answer, code] of [
    [404, "12"],
    [403, "7"],
    [503, "14"],
    [500, "2"],
  ] as const) {
    await plane.apply(simple([], { answer }));
    const { status, headers, body } = await ask(client, grpc, "");
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "application/grpc");
    assert.equal(headers["grpc-status"], code);
    assert.match(String(headers["grpc-message"]), new RegExp(`^${answer} `));
    assert.equal(body, "");
  }
});

test("a body beyond the limit is answered 413, and the connection goes on", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)], { maxBodyBytes: 10 }));
  const peer = await dialHttp2(t, port);
  peer.request(1, { ":method": "POST" }, false);
  peer.data(1, "x".repeat(11));
  await peer.seen("RST 1 NO_ERROR");
  assert.deepEqual(
    peer.events.filter((event) => !/DATA|SETTINGS/.test(event)),
    ["1 413", "1 end", "RST 1 NO_ERROR"],
  );
  peer.request(3, { ":method": "POST", "content-length": "11" }, false);
  await peer.seen("3 413");
  peer.request(5);
  await peer.seen("5 200");
});

test("an answer goes out as fast as its windows open, and waits for nothing else", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await httpEndpoint(t, (_, response) => response.end("x".repeat(1000)));
  await plane.apply(simple([endpoint]));
  const peer = await dialHttp2(t, port, [[setting.initialWindowSize, 300]]);
  peer.request(1);
  await peer.seen("1 DATA 300");
  peer.request(3);
  await peer.seen("3 DATA 300");
  assert.equal(peer.bodies.get(1)?.length, 300);
  peer.send(frame(frameType.windowUpdate, 0, 1, uint32(500)));
  await peer.seen("1 DATA 500");
  peer.send(frame(frameType.settings, 0, 0, Buffer.from("000400000400", "hex")));
  await peer.seen("1 end");
  await peer.seen("3 end");
  assert.equal(peer.bodies.get(1)?.length, 1000);
  assert.equal(peer.bodies.get(3)?.length, 1000);
});

test("the window of the connection is shared in turn", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await httpEndpoint(t, (_, response) => response.end("x".repeat(200_000)));
  await plane.apply(simple([endpoint]));
  const peer = await dialHttp2(t, port, [[setting.initialWindowSize, 1 << 20]]);
  for (const stream of [1, 3]) peer.request(stream);
  const total = () => (peer.bodies.get(1)?.length ?? 0) + (peer.bodies.get(3)?.length ?? 0);
  await peer.until(() => total() === 65_535);
  await peer.until(() => peer.events.includes("1 200") && peer.events.includes("3 200"));
  const before = [1, 3].map((stream) => peer.bodies.get(stream)?.length ?? 0);
  peer.send(frame(frameType.windowUpdate, 0, 0, uint32(65_536)));
  await peer.until(() => total() === 65_535 + 65_536);
  for (const [at, stream] of [1, 3].entries()) {
    const grown = (peer.bodies.get(stream)?.length ?? 0) - (before[at] ?? 0);
    assert.ok(grown >= 8192, `stream ${stream} got ${grown}`);
  }
  peer.send(frame(frameType.windowUpdate, 0, 0, uint32(1 << 20)));
  await peer.seen("1 end");
  await peer.seen("3 end");
});

test("a client that does not read is let go, and its endpoint with it", async (t) => {
  const { plane, port } = await startPlane(t, { limits: { ...quick, clientIdleMs: 100 } });
  let open = 0;
  const endpoint = await httpEndpoint(t, (_, response) => {
    open += 1;
    response.on("close", () => (open -= 1));
    response.end("x".repeat(10 << 20));
  });
  await plane.apply(simple([endpoint]));
  const peer = await dialHttp2(t, port);
  peer.request(1);
  await peer.seen("RST 1 INTERNAL_ERROR");
  assert.ok((peer.bodies.get(1)?.length ?? 0) <= 65_535);
  peer.send(frame(frameType.windowUpdate, 0, 0, uint32(1 << 20)));
  peer.request(3);
  await peer.seen("3 200");
});

test("an upload is taken no faster than the endpoint takes it", async (t) => {
  const { plane, port } = await startPlane(t);
  const accepted = Promise.withResolvers<Socket>();
  const whole = Promise.withResolvers<void>();
  const size = 64 << 20;
  const endpoint = await rawEndpoint(t, (socket) => {
    let taken = 0;
    socket.pause();
    socket.on("data", (bytes) => {
      taken += bytes.length;
      if (taken > size) whole.resolve();
    });
    accepted.resolve(socket);
  });
  await plane.apply(simple([endpoint]));
  const peer = await dialHttp2(t, port);
  peer.request(1, { ":method": "POST", "content-length": String(size) }, false);
  let sent = 0;
  /** Sends what the windows allow, and hears that it was read. */
  const push = async () => {
    const window = Math.min(131_072 + peer.granted(1), 65_535 + peer.granted(0));
    while (sent < Math.min(size, window)) {
      const part = Math.min(16_384, Math.min(size, window) - sent);
      sent += part;
      peer.data(1, "x".repeat(part), sent === size);
    }
    const pongs = peer.events.filter((event) => event === "PONG").length;
    peer.send(frame(frameType.ping, 0, 0, Buffer.alloc(8)));
    await peer.until(() => peer.events.filter((event) => event === "PONG").length > pongs);
  };
  for (let still = 0; still < 5;) {
    const before = sent;
    await push();
    still = sent === before ? still + 1 : 0;
    assert.ok(sent < size, "all of it was taken while the endpoint took nothing");
  }
  (await accepted.promise).resume();
  while (sent < size && !peer.closed) await push();
  await whole.promise;
});

test("a request that is taken back ends at its endpoint too, and the next one is served", async (t) => {
  const { plane, port } = await startPlane(t);
  const gone = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const endpoint = await httpEndpoint(t, (request, response) => {
    if (request.url === "/next") {
      response.end("next");
      return;
    }
    response.on("close", () => gone.resolve());
    asked.resolve();
  });
  await plane.apply(simple([endpoint]));
  const peer = await dialHttp2(t, port);
  peer.request(1);
  await asked.promise;
  peer.send(frame(frameType.rstStream, 0, 1, uint32(8)));
  await gone.promise;
  peer.request(3, { ":path": "/next" });
  await peer.seen("3 end");
  assert.equal(peer.bodies.get(3), "next");
});

test("an endpoint that breaks off its answer ends the stream with an error, not as if it were whole", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
  });
  await plane.apply(simple([endpoint]));
  const peer = await dialHttp2(t, port);
  peer.request(1);
  await peer.seen("RST 1 INTERNAL_ERROR");
  assert.equal(peer.bodies.get(1), "half");
  assert.ok(!peer.events.includes("1 end"));
});

test("stopping says GOAWAY twice, serves what was begun and what crossed the first one, then closes", async (t) => {
  const { plane, port } = await startPlane(t);
  const answers: (() => void)[] = [];
  const first = Promise.withResolvers<void>();
  const both = Promise.withResolvers<void>();
  const endpoint = await httpEndpoint(t, (_, response) => {
    answers.push(() => response.end("done"));
    first.resolve();
    if (answers.length === 2) both.resolve();
  });
  await plane.apply(simple([endpoint]));
  const peer = await dialHttp2(t, port);
  peer.request(1);
  await first.promise;
  peer.answersPings = false;
  const stopped = plane.stop({ drainMs: 5000 });
  await peer.seen("GOAWAY NO_ERROR");
  peer.request(3);
  peer.send(frame(frameType.ping, flag.ack, 0, Buffer.alloc(8)));
  await both.promise;
  // This one crosses the second GOAWAY: it is not served, and ends nothing.
  peer.request(5, { ":method": "POST" }, false);
  peer.data(5, "hello", true);
  for (const answer of answers) answer();
  await peer.until(() => peer.closed);
  await stopped;
  assert.deepEqual([peer.bodies.get(1), peer.bodies.get(3)], ["done", "done"]);
  assert.ok(peer.events.filter((event) => event === "GOAWAY NO_ERROR").length >= 2);
});

test("after its share of requests a client is told to connect anew", async (t) => {
  const { plane, port } = await startPlane(t, { limits: { ...quick, requestsPerConnection: 3 } });
  await plane.apply(simple([await echoEndpoint(t)]));
  const peer = await dialHttp2(t, port);
  for (const stream of [1, 3, 5]) {
    peer.request(stream);
    await peer.seen(`${stream} end`);
  }
  await peer.until(() => peer.closed);
  assert.ok(peer.events.includes("GOAWAY NO_ERROR"));
});

test("idle connections and heads that never end are closed in time", async (t) => {
  const { plane, port } = await startPlane(t, { limits: { ...quick, keepAliveMs: 60, headerMs: 60 } });
  await plane.apply(simple([await echoEndpoint(t)]));
  const idle = await dialHttp2(t, port);
  await idle.seen("GOAWAY NO_ERROR");
  const half = await dialHttp2(t, port);
  half.send(frame(frameType.headers, flag.endStream, 1, Buffer.from("82", "hex")));
  await half.seen("GOAWAY PROTOCOL_ERROR");
});

test("HTTP/2 that is turned off is refused on the plain port as any unknown version is", async (t) => {
  const { port } = await startPlane(t, { http2: false });
  const client = connect(`http://127.0.0.1:${port}`);
  t.after(() => client.destroy());
  const [error] = (await once(client, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ERR_HTTP2_ERROR");
});
