import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import { connect } from "node:tls";
import { test, type TestContext } from "node:test";
import { openListener } from "#apiserver/http/listener.ts";
import { ask, byToken, letDoAll, ordinary, startTestServer, testCertificates } from "../../fakes/api-server.ts";
import { askHttp2, connectHttp2, watchHttp2 } from "../../fakes/http2-client.ts";

const admin = { name: "test", groups: ["system:masters"] };
const settings = "/api/v1/namespaces/n/configmaps";

async function prepare(t: TestContext, options: Parameters<typeof startTestServer>[0] = {}) {
  const server = await startTestServer(options);
  const sessions: ClientHttp2Session[] = [];
  t.after(() => {
    for (const session of sessions) session.destroy();
    return server.stop();
  });
  const client = server.localClient(admin);
  await client.create("Namespace", { metadata: { name: "n" } });
  const open = async (proof?: object) => {
    const session = await connectHttp2(server, proof);
    sessions.push(session);
    return session;
  };
  return { server, client, open };
}

test("a connection speaks HTTP/2 if the client offers it, and HTTP/1.1 otherwise", async (t) => {
  const { server } = await prepare(t);
  const { ca } = server.certificates;
  const agreed = async (...protocols: string[]) => {
    const options = protocols.length > 0 ? { ALPNProtocols: protocols } : {};
    const socket = connect({ port: server.addresses()[0]?.port ?? 0, host: "127.0.0.1", ca, ...options });
    await once(socket, "secureConnect");
    socket.destroy();
    return socket.alpnProtocol;
  };
  assert.equal(await agreed("h2", "http/1.1"), "h2");
  assert.equal(await agreed("http/1.1"), "http/1.1");
  assert.equal(await agreed(), false);
});

test("objects are written and read, with the same answers as by HTTP/1.1", async (t) => {
  const { server, open } = await prepare(t);
  const session = await open();
  const body = JSON.stringify({ metadata: { name: "a" }, data: { key: "value" } });
  const json = { "content-type": "application/json" };
  const created = await askHttp2(session, settings, { method: "POST", headers: json, body });
  assert.equal(created.code, 201);
  const got = await askHttp2(session, `${settings}/a`);
  assert.equal(got.code, 200);
  assert.equal(got.text, (await ask(server, `${settings}/a`)).body.toString());
  const { serverAddressByClientCIDRs } = JSON.parse((await askHttp2(session, "/api")).text) as {
    serverAddressByClientCIDRs: { serverAddress: string }[];
  };
  assert.equal(`https://${serverAddressByClientCIDRs[0]?.serverAddress}`, server.url);
  const missing = await askHttp2(session, `${settings}/b`);
  assert.equal(missing.code, 404);
  assert.match(missing.text, /"reason":"NotFound"/);
  const odd = await askHttp2(session, settings, { method: "POST", headers: json, body: body.replace("data", "dat") });
  assert.match(String(odd.headers["warning"]), /unknown field/);
  const removed = await askHttp2(session, `${settings}/a`, { method: "DELETE" });
  assert.match(removed.text, /"status":"Success"/);
});

test("who asks is known by certificate and by token", async (t) => {
  const token = { token: "open-sesame", user: { name: "ali", groups: ["system:masters"] } };
  const { open } = await prepare(t, { tokens: [token] });
  const who = async (session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}) => {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const answer = await askHttp2(session, path, { method: "POST", headers, body: "{}" });
    return (JSON.parse(answer.text) as { status: { userInfo?: { username: string } } }).status.userInfo?.username;
  };
  const signed = await open();
  assert.equal(await who(signed), "fairlead-admin");
  assert.equal(await who(signed), "fairlead-admin");
  const groups = { "impersonate-user": "eve", "impersonate-group": ["a, b", "system:masters"] };
  assert.equal(await who(signed, groups), "eve");
  const unknown = await open({});
  assert.equal(await who(unknown, { authorization: "Bearer open-sesame" }), "ali");
  assert.equal((await askHttp2(unknown, settings, { headers: { authorization: "Bearer wrong" } })).code, 401);
  assert.equal((await askHttp2(unknown, settings)).code, 401);
  assert.equal((await askHttp2(unknown, "/healthz")).code, 200);
});

test("many watches share a connection, and each hears of every change at once", async (t) => {
  const { server, client, open } = await prepare(t);
  const session = await open();
  const watches = await Promise.all(Array.from({ length: 90 }, () => watchHttp2(session, `${settings}?watch=1`)));
  await client.create("ConfigMap", { metadata: { name: "a", namespace: "n" } });
  for (const watch of watches) assert.match((await watch.until(1))[0] ?? "", /"type":"ADDED".*"name":"a"/);
  // Requests go on beside them.
  assert.equal((await askHttp2(session, `${settings}/a`)).code, 200);
  await client.delete("ConfigMap", { name: "a", namespace: "n" });
  for (const watch of watches) assert.match((await watch.until(2))[1] ?? "", /"type":"DELETED"/);
  assert.equal(server.openStreams(), 90);
  for (const { stream } of watches) stream.close();
  while (server.openStreams() > 0) await askHttp2(session, settings);
});

test("a watch that is not read holds up no other on its connection", async (t) => {
  const { client, open } = await prepare(t);
  const session = await open();
  const asleep = session.request({ ":path": `${settings}?watch=1` });
  await once(asleep, "response");
  asleep.pause();
  const awake = await watchHttp2(session, `${settings}?watch=1`);
  const data = { text: "x".repeat(100_000) };
  for (let index = 0; index < 20; index += 1) {
    await client.create("ConfigMap", { metadata: { name: `big-${index}`, namespace: "n" }, data });
  }
  assert.equal((await awake.until(20)).length, 20);
});

test("a server that stops ends its watches and says GOAWAY", async () => {
  const server = await startTestServer();
  const session = await connectHttp2(server);
  const watch = await watchHttp2(session, "/api/v1/namespaces?watch=1");
  const goaway = once(session, "goaway") as Promise<[number]>;
  const ended = once(watch.stream, "end");
  const closed = once(session, "close");
  const stopped = server.stop();
  await ended;
  assert.equal((await goaway)[0], constants.NGHTTP2_NO_ERROR);
  await closed;
  await stopped;
});

test("requests that are given up do not count any more", async (t) => {
  const { server, open } = await prepare(t, { limits: { atOnce: 4 }, tokens: [ordinary] });
  await letDoAll(server);
  const session = await open({});
  const { headers } = byToken(ordinary.token);
  for (let round = 0; round < 10; round += 1) {
    const given = Array.from({ length: 4 }, () => session.request({ ":path": settings, ...headers }));
    for (const stream of given) {
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await Promise.all(given.map(async (stream) => stream.destroyed || once(stream, "close")));
  }
  while ((await askHttp2(session, settings, { headers })).code === 429);
  const both = await Promise.all([askHttp2(session, settings, { headers }), askHttp2(session, settings, { headers })]);
  assert.deepEqual(
    both.map(({ code }) => code),
    [200, 200],
  );
});

test("a client that opens and resets streams without end loses its connection, and nobody else notices", async (t) => {
  const { open } = await prepare(t);
  const session = await open();
  const other = await open();
  const goaway = new Promise<number>((resolve) => session.once("goaway", resolve));
  const closed = new Promise((resolve) => session.once("close", resolve));
  const flood = () => {
    for (let turn = 0; turn < 50 && !session.closed && !session.destroyed; turn += 1) {
      const stream = session.request({ ":path": settings });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
    }
    if (!session.closed && !session.destroyed) setImmediate(flood);
  };
  flood();
  assert.notEqual(await goaway, constants.NGHTTP2_NO_ERROR);
  await closed;
  assert.equal((await askHttp2(other, settings)).code, 200);
});

test("what is no HTTP/2, or too much of it, ends its own connection only", async (t) => {
  const { server, open } = await prepare(t);
  const { ca, admin: proof } = server.certificates;
  const other = await open();
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const frame = (type: number, length: number, stream = 0, body = Buffer.alloc(length)) =>
    Buffer.concat([Buffer.from([length >> 16, length >> 8, length, type, 0, 0, 0, 0, stream]), body]);
  const settingsFrame = frame(4, 0);
  const ping = frame(6, 8);
  const longSettings = frame(4, 6 * 2000);
  for (const [what, ...parts] of [
    ["HTTP/1.1", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["noise", Buffer.alloc(1000, 255)],
    ["a frame beyond the limit", preface, settingsFrame, frame(0, 0xffffff, 1, Buffer.alloc(70_000))],
    ["settings without end", preface, longSettings],
    ["data on a stream that is not open", preface, settingsFrame, frame(0, 4, 9)],
    ["a head that cannot be read", preface, settingsFrame, frame(1, 100, 1, Buffer.alloc(100, 255))],
    ["pings that nobody reads the answers of", preface, settingsFrame, ...Array.from({ length: 200_000 }, () => ping)],
  ] as const) {
    const options = { port: server.addresses()[0]?.port ?? 0, host: "127.0.0.1", ca, ...proof, ALPNProtocols: ["h2"] };
    const socket = connect(options).on("error", () => {});
    await once(socket, "secureConnect");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    if (what.startsWith("pings")) socket.pause();
    else socket.resume();
    socket.write(Buffer.concat(parts));
    // Who does not read does not notice either.
    if (!what.startsWith("pings")) await closed;
    assert.equal((await askHttp2(other, settings)).code, 200, what);
    socket.destroy();
  }
});

test("one connection has a hundred requests at once, and heads of a bearable size", async (t) => {
  const { open } = await prepare(t);
  const session = await open();
  assert.equal(session.remoteSettings.maxConcurrentStreams, 100);
  await assert.rejects(askHttp2(session, settings, { headers: { "x-long": "x".repeat(100_000) } }));
  const next = await open();
  assert.equal((await askHttp2(next, `${settings}?labelSelector=${"a".repeat(9000)}`)).code, 414);
  const body = "x".repeat(4 * 1024 * 1024);
  const large = askHttp2(next, settings, { method: "POST", headers: { "content-length": String(body.length) }, body });
  assert.equal((await large).code, 413);
  assert.equal((await askHttp2(next, settings)).code, 200);
});

test("lists that nobody reads leave room for others on the connection", async (t) => {
  const { client, open } = await prepare(t);
  for (let index = 0; index < 10; index += 1) {
    const data = { text: "x".repeat(900_000) };
    await client.create("ConfigMap", { metadata: { name: `big-${index}`, namespace: "n" }, data });
  }
  const session = await open();
  for (let index = 0; index < 5; index += 1) {
    const asleep = session.request({ ":path": settings });
    asleep.on("error", () => {});
    await once(asleep, "response");
    asleep.pause();
  }
  assert.equal((await askHttp2(session, "/api/v1/namespaces/n")).code, 200);
});

test("a connection without requests, and a body that never ends, are given up", async (t) => {
  const handler = {
    request: () => {},
    upgrade: () => {},
    isUpgrade: () => false,
  };
  const certificates = await testCertificates();
  const limits = { streams: 100, idleMs: 2_000, bodyMs: 200 };
  const address = { host: "127.0.0.1", port: 0 };
  const listener = await openListener(address, certificates, handler, undefined, limits);
  t.after(() => listener.close(0));
  const url = `https://127.0.0.1:${listener.address.port}`;
  const session = await connectHttp2({ url, certificates });
  const closed = new Promise((resolve) => session.once("close", resolve));
  const stream = session.request({ ":path": settings, ":method": "POST" });
  stream.on("error", () => {});
  stream.write("{");
  await new Promise((resolve) => stream.once("close", resolve));
  assert.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
  await closed;
});
