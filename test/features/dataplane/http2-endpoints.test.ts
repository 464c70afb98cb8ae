import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  connect,
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { WebSocketServer } from "ws";
import { createServer as createHttpServer } from "node:http";
import { flag, frameType, preface } from "#wire/http2/frame.ts";
import { FrameReader } from "#wire/http2/frame-reader.ts";
import { dialHttp2, frame, uint32 } from "./http2-peer.ts";
import {
  ask,
  backend,
  change,
  deadPort,
  dial,
  host,
  httpEndpoint,
  listening,
  quick,
  rawEndpoint,
  replyOf,
  route,
  simple,
  startPlane,
} from "./harness.ts";

interface Http2Endpoint {
  readonly port: number;
  /** Connections so far. */
  readonly sessions: readonly ServerHttp2Session[];
}

/** An endpoint that speaks HTTP/2 with prior knowledge: Node's own. */
async function http2Endpoint(
  t: TestContext,
  serve: (stream: ServerHttp2Stream, fields: IncomingHttpHeaders) => void,
  settings: { maxConcurrentStreams?: number } = {},
): Promise<Http2Endpoint> {
  const sessions: ServerHttp2Session[] = [];
  const server = createServer({ settings });
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream, fields) => {
    stream.on("error", () => {});
    serve(stream as ServerHttp2Stream, fields);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

const grpc = (ports: readonly number[]) =>
  change({ hosts: [host("*", [route("all", {})])], backends: [backend("b", ports, { protocol: "h2" })] });

function client(t: TestContext, port: number) {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  t.after(() => session.destroy());
  return session;
}

test("a call of gRPC goes through whole: fields, messages both ways in turn, trailers", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await http2Endpoint(t, (stream, fields) => {
    assert.equal(fields[":method"], "POST");
    assert.equal(fields[":path"], "/echo.Echo/Chat");
    assert.equal(fields.te, "trailers");
    assert.equal(fields["content-type"], "application/grpc");
    assert.match(String(fields["x-forwarded-for"]), /^127\.0\.0\.1$/);
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("data", (part: Buffer) => stream.write(`re: ${part.toString()}`));
    stream.on("end", () => stream.end());
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }));
  });
  await plane.apply(grpc([endpoint.port]));
  const stream = client(t, port).request(
    { ":method": "POST", ":path": "/echo.Echo/Chat", "content-type": "application/grpc", te: "trailers" },
    { endStream: false },
  );
  let trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (fields: IncomingHttpHeaders) => (trailers = fields));
  // The head comes before the first message: both sides speak at once.
  const [head] = (await once(stream, "response")) as [IncomingHttpHeaders];
  assert.equal(head[":status"], 200);
  for (const word of ["one", "two", "three"]) {
    stream.write(word);
    const [part] = (await once(stream, "data")) as [Buffer];
    assert.equal(part.toString(), `re: ${word}`);
  }
  stream.end();
  await once(stream, "close");
  assert.equal(trailers["grpc-status"], "0");
  assert.equal(trailers["grpc-message"], "fine");
});

test("an answer of trailers alone stays one block, as clients of gRPC demand", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await http2Endpoint(t, (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "5" }, { endStream: true });
  });
  await plane.apply(grpc([endpoint.port]));
  const peer = await dialHttp2(t, port);
  peer.request(1, { ":method": "POST", "content-type": "application/grpc" }, false);
  peer.data(1, "x", true);
  await peer.seen("1 end");
  assert.deepEqual(
    peer.events.filter((event) => event.startsWith("1 ")),
    ["1 200", "1 end"],
  );
  const [head] = peer.fields.get(1) ?? [];
  assert.equal(head?.get("grpc-status"), "5");
  assert.equal(head?.has("content-length"), false);
});

test("trailers of a request reach an endpoint of HTTP/2, and none of HTTP/1.1", async (t) => {
  const { plane, port } = await startPlane(t);
  const http2 = Promise.withResolvers<IncomingHttpHeaders>();
  const endpoint = await http2Endpoint(t, (stream) => {
    stream.on("trailers", (fields) => http2.resolve(fields));
    stream.on("data", () => {});
    stream.on("end", () => {
      stream.respond({ ":status": 200 });
      stream.end("done");
    });
  });
  await plane.apply(grpc([endpoint.port]));
  const peer = await dialHttp2(t, port);
  const send = (stream: number) => {
    peer.request(stream, { ":method": "POST" }, false);
    peer.data(stream, "hello");
    const trailers = peer.block([["x-check", "good"]]);
    peer.send(frame(frameType.headers, flag.endHeaders | flag.endStream, stream, trailers));
  };
  send(1);
  assert.equal((await http2.promise)["x-check"], "good");
  await peer.seen("1 end");
  let seen = "";
  const plainEndpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", (bytes: Buffer) => {
      seen += bytes.toString("latin1");
      if (seen.endsWith("0\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
  });
  await plane.apply(simple([plainEndpoint]));
  send(3);
  await peer.seen("3 end");
  assert.match(seen, /\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
});

test("a client of HTTP/1.1 is served by an endpoint of HTTP/2: bodies, HEAD, 204, trailers", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await http2Endpoint(t, (stream, fields) => {
    const path = String(fields[":path"]);
    if (path === "/204") stream.respond({ ":status": 204 }, { endStream: true });
    else if (path === "/length") {
      stream.respond({ ":status": 200, "content-length": 5 });
      stream.end("hello");
    } else if (path === "/trailers") {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-check": "good" }));
      stream.end("hello");
    } else {
      let body = 0;
      stream.on("data", (part: Buffer) => (body += part.length));
      stream.on("end", () => {
        stream.respond({ ":status": 200, "x-host": fields[":authority"] });
        stream.end(fields[":method"] === "HEAD" ? "" : `${fields[":method"]} ${body}`);
      });
    }
  });
  await plane.apply(grpc([endpoint.port]));
  assert.match((await ask(t, port, "GET /length")).head, /content-length: 5/);
  assert.equal((await ask(t, port, "GET /length")).body, "hello");
  assert.equal((await ask(t, port, "GET /204")).status, 204);
  assert.match((await ask(t, port, "GET /trailers")).body, /^5\r\nhello\r\n0\r\nx-check: good\r\n\r\n$/);
  assert.match((await ask(t, port, "GET /")).head, /x-host: example\.com/);
  assert.equal((await ask(t, port, "HEAD /")).status, 200);
  const upload = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\nConnection: close\r\n\r\n${"x".repeat(300_000)}`;
  const raw = await dial(t, port);
  raw.send(upload);
  assert.match(replyOf(await raw.end()).body, /POST 300000/);
});

test("requests share a connection, and a second one is made when the endpoint takes no more streams", async (t) => {
  const { plane, port } = await startPlane(t);
  const held: ServerHttp2Stream[] = [];
  const six = Promise.withResolvers<void>();
  const endpoint = await http2Endpoint(
    t,
    (stream, fields) => {
      if (fields[":path"] === "/first") {
        stream.respond({ ":status": 200 });
        stream.end();
        return;
      }
      held.push(stream);
      if (held.length === 6) six.resolve();
    },
    { maxConcurrentStreams: 4 },
  );
  await plane.apply(grpc([endpoint.port]));
  const peer = await dialHttp2(t, port);
  peer.request(1, { ":path": "/first" });
  await peer.seen("1 end");
  for (let stream = 3; stream <= 13; stream += 2) peer.request(stream);
  await six.promise;
  assert.equal(endpoint.sessions.length, 2);
  for (const stream of held) {
    stream.respond({ ":status": 200 });
    stream.end();
  }
  for (let stream = 3; stream <= 13; stream += 2) await peer.seen(`${stream} end`);
});

test("streams that end early say so to the other side", async (t) => {
  const { plane, port } = await startPlane(t);
  const cancelled = Promise.withResolvers<number>();
  const asked = Promise.withResolvers<void>();
  const endpoint = await http2Endpoint(t, (stream, fields) => {
    if (fields[":path"] === "/early") stream.close(2);
    else if (fields[":path"] === "/late") {
      stream.respond({ ":status": 200 });
      stream.write("half", () => stream.session?.destroy());
    } else {
      stream.on("close", () => cancelled.resolve(stream.rstCode));
      asked.resolve();
    }
  });
  await plane.apply(grpc([endpoint.port]));
  const peer = await dialHttp2(t, port);
  peer.request(1, { ":path": "/early", ":method": "POST", "content-type": "application/grpc" }, false);
  await peer.seen("1 end");
  assert.equal(peer.fields.get(1)?.[0]?.get("grpc-status"), "14");
  peer.request(3, { ":path": "/early" });
  await peer.seen("3 502");
  peer.request(7);
  await asked.promise;
  peer.send(frame(frameType.rstStream, 0, 7, uint32(8)));
  assert.equal(await cancelled.promise, 8);
  assert.equal(endpoint.sessions.length, 1);
  peer.request(9, { ":path": "/late" });
  await peer.seen("RST 9 INTERNAL_ERROR");
  const reasons = (await plane.failures()).map(({ reason }) => reason);
  assert.ok(reasons.includes("HTTP/2 INTERNAL_ERROR"), reasons.join());
});

test("an endpoint that is not there, or speaks something else, fails like any other", async (t) => {
  const { plane, port } = await startPlane(t, { limits: quick });
  const http1 = await httpEndpoint(t, (_, response) => response.end("hello"));
  const peer = await dialHttp2(t, port);
  for (const [at, dead] of [await deadPort(), http1].entries()) {
    await plane.apply(grpc([dead]));
    peer.request(1 + 4 * at, { ":method": "POST", "content-type": "application/grpc" });
    await peer.seen(`${1 + 4 * at} end`);
    assert.equal(peer.fields.get(1 + 4 * at)?.[0]?.get("grpc-status"), "14");
    peer.request(3 + 4 * at);
    await peer.seen(`${3 + 4 * at} 502`);
  }
});

test("an endpoint that says GOAWAY gets no new request, and finishes what it has", async (t) => {
  const { plane, port } = await startPlane(t);
  const held: ServerHttp2Stream[] = [];
  const first = Promise.withResolvers<void>();
  const endpoint = await http2Endpoint(t, (stream, fields) => {
    if (fields[":path"] === "/hold") {
      held.push(stream);
      first.resolve();
    } else {
      stream.respond({ ":status": 200 });
      stream.end("next");
    }
  });
  await plane.apply(grpc([endpoint.port]));
  const peer = await dialHttp2(t, port);
  peer.request(1, { ":path": "/hold" });
  await first.promise;
  const [session] = endpoint.sessions;
  session?.goaway(0, held[0]?.id);
  await new Promise<void>((resolve) => session?.ping(() => resolve()));
  peer.request(3);
  await peer.seen("3 end");
  assert.equal(endpoint.sessions.length, 2);
  held[0]?.respond({ ":status": 200 });
  held[0]?.end("held");
  await peer.seen("1 end");
  assert.deepEqual([peer.bodies.get(1), peer.bodies.get(3)], ["held", "next"]);
});

test("a request that an endpoint sends back goes out again as it was, whatever came in between", async (t) => {
  const { plane, port } = await startPlane(t);
  const seen: string[] = [];
  const first = Promise.withResolvers<ServerHttp2Stream>();
  const endpoint = await http2Endpoint(t, (stream, fields) => {
    seen.push(`${String(fields[":path"])} ${String(fields["x-name"])}`);
    if (seen.length === 1) first.resolve(stream);
    else {
      stream.respond({ ":status": 200 });
      stream.end(String(fields["x-name"]));
    }
  });
  await plane.apply(grpc([endpoint.port]));
  const peer = await dialHttp2(t, port);
  peer.request(1, { ":path": "/warm", "x-name": "warm" });
  (await first.promise).respond({ ":status": 200 }, { endStream: true });
  await peer.seen("1 end");
  seen.length = 0;
  const second = Promise.withResolvers<ServerHttp2Stream>();
  first.promise = second.promise;
  first.resolve = second.resolve;
  peer.request(3, { ":path": "/a", "x-name": "alpha" });
  const held = await second.promise;
  peer.request(5, { ":path": "/b/longer", "x-name": "beta" });
  await peer.seen("5 end");
  held.close(7);
  await peer.seen("3 end");
  assert.deepEqual(seen, ["/a alpha", "/b/longer beta", "/a alpha"]);
  assert.equal(peer.bodies.get(3), "alpha");
  assert.equal(endpoint.sessions.length, 1);
});

test("a connection on which the endpoint says nothing more is given up, and the next request gets another", async (t) => {
  const { plane, port } = await startPlane(t, { limits: { ...quick, http2ProbeMs: 20 } });
  let connections = 0;
  const gone = Promise.withResolvers<void>();
  const endpoint = await rawEndpoint(t, (socket) => {
    connections += 1;
    if (connections === 1) socket.once("close", () => gone.resolve());
    const reader = new FrameReader((type, _, stream) => {
      if (type === frameType.headers && connections > 1) {
        socket.write(frame(frameType.headers, flag.endHeaders | flag.endStream, stream, Buffer.from("88", "hex")));
      }
      return 0;
    });
    socket.write(frame(frameType.settings, 0, 0));
    let greeted = 0;
    socket.on("data", (bytes: Buffer) => {
      const skip = Math.min(preface.length - greeted, bytes.length);
      greeted += skip;
      reader.feed(bytes, skip, bytes.length);
    });
  });
  const routes = [route("all", { readMs: 30 })];
  await plane.apply(change({ hosts: [host("*", routes)], backends: [backend("b", [endpoint], { protocol: "h2" })] }));
  const peer = await dialHttp2(t, port);
  peer.request(1);
  await peer.seen("1 504");
  await gone.promise;
  peer.request(3);
  await peer.seen("3 200");
  assert.equal(connections, 2);
});

test("an endpoint of HTTP/2 behind TLS is asked for h2 in the handshake", async (t) => {
  const { plane, port } = await startPlane(t);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  const args = ["req", "-x509", ...curve, "-keyout", "-", "-out", "-", "-days", "2", "-subj", "/CN=endpoint"];
  const pem = execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const server = createSecureServer({ key: pem, cert: pem, allowHTTP1: false });
  server.on("stream", (opened, fields) => {
    const stream = opened as ServerHttp2Stream;
    stream.respond({ ":status": 200 });
    stream.end(`${String(fields[":scheme"])} ${String(stream.session?.alpnProtocol)}`);
  });
  server.on("session", (session) => t.after(() => session.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port: secure } = server.address() as AddressInfo;
  const backends = [backend("b", [secure], { protocol: "h2s" })];
  await plane.apply(change({ hosts: [host("*", [route("all", {})])], backends }));
  const peer = await dialHttp2(t, port);
  peer.request(1);
  await peer.seen("1 end");
  assert.equal(peer.bodies.get(1), "https h2");
});

test("a slow client slows its own stream and no other, both ways through", async (t) => {
  const { plane, port } = await startPlane(t);
  const size = 8 << 20;
  let written = 0;
  const endpoint = await http2Endpoint(t, (stream, fields) => {
    stream.respond({ ":status": 200 });
    if (fields[":path"] === "/small") {
      stream.end("small");
      return;
    }
    const part = Buffer.alloc(64 * 1024, "x");
    const more = () => {
      written += part.length;
      if (written < size) stream.write(part, more);
      else stream.end(part);
    };
    more();
  });
  await plane.apply(grpc([endpoint.port]));
  const slow = await dialHttp2(t, port);
  slow.request(1, { ":path": "/big" });
  await slow.until(() => (slow.bodies.get(1)?.length ?? 0) === 65_535);
  const quickPeer = await dialHttp2(t, port);
  for (let turn = 0; turn < 20; turn += 1) {
    quickPeer.request(1 + 2 * turn, { ":path": "/small" });
    await quickPeer.seen(`${1 + 2 * turn} end`);
  }
  assert.ok(written < size, `${written} bytes were taken for a client that took 64 KB`);
  assert.equal(endpoint.sessions.length, 1);
  slow.send(frame(frameType.windowUpdate, 0, 0, uint32(size)), frame(frameType.windowUpdate, 0, 1, uint32(size)));
  await slow.seen("1 end");
  assert.equal(slow.bodies.get(1)?.length, size);
});

/** A frame of a WebSocket with a short text; those of a client are masked, here with zeros. */
const webSocketText = (text: string) => `${String.fromCharCode(0x81, 0x80 | text.length)}\0\0\0\0${text}`;

test("a WebSocket over HTTP/2 reaches an endpoint that speaks HTTP/1.1 (RFC 8441)", async (t) => {
  const { plane, port } = await startPlane(t);
  const server = createHttpServer();
  const sockets = new WebSocketServer({ server, handleProtocols: () => "chat" });
  const closed = Promise.withResolvers<void>();
  sockets.on("connection", (socket) => {
    socket.on("message", (data) => socket.send(`re: ${(data as Buffer).toString()}`));
    socket.on("close", () => closed.resolve());
  });
  await plane.apply(simple([await listening(t, server)]));
  const peer = await dialHttp2(t, port);
  peer.request(
    1,
    {
      ":method": "CONNECT",
      ":protocol": "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-protocol": "chat",
    },
    false,
  );
  await peer.seen("1 200");
  const [head] = peer.fields.get(1) ?? [];
  assert.equal(head?.get("sec-websocket-protocol"), "chat");
  assert.equal(head?.has("sec-websocket-accept"), false);
  for (const word of ["one", "two"]) {
    peer.data(1, webSocketText(word));
    await peer.until(() => peer.bodies.get(1)?.endsWith(`re: ${word}`) === true);
  }
  peer.data(1, "", true);
  await closed.promise;
  await peer.seen("1 end");
});

test("Node's client speaks to a WebSocket endpoint, too", async (t) => {
  const { plane, port } = await startPlane(t);
  const server = createHttpServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.send("hello"));
  await plane.apply(simple([await listening(t, server)]));
  const session = client(t, port);
  await once(session, "remoteSettings");
  assert.equal(session.remoteSettings.enableConnectProtocol, true);
  const stream = session.request(
    { ":method": "CONNECT", ":protocol": "websocket", ":path": "/", "sec-websocket-version": "13" },
    { endStream: false },
  );
  stream.on("error", () => {});
  const [part] = (await once(stream, "data")) as [Buffer];
  assert.equal(part.subarray(2).toString(), "hello");
});

test("an endpoint that does not switch is no tunnel, whatever status it says", async (t) => {
  const { plane, port } = await startPlane(t);
  const peer = await dialHttp2(t, port);
  for (const [at, [says, wanted]] of (
    [
      [200, 502],
      [403, 403],
    ] as const
  ).entries()) {
    await plane.apply(simple([await httpEndpoint(t, (_, response) => response.writeHead(says).end("no"))]));
    const stream = 1 + 2 * at;
    const fields = { ":method": "CONNECT", ":protocol": "websocket", "sec-websocket-version": "13" };
    peer.request(stream, fields, false);
    await peer.seen(`${stream} ${wanted}`);
    assert.ok(peer.events.includes(`${stream} ${wanted}`), peer.events.join());
  }
});
