import assert from "node:assert/strict";
import { connect as plain } from "node:net";
import { test, type TestContext } from "node:test";
import { connect } from "node:tls";
import { writeProxyHeader } from "#wire/proxy-protocol.ts";
import { makePair } from "../../fakes/certificate.ts";
import { backend, change, dial, echoEndpoint, host, RawClient, route, startPlane } from "./harness.ts";

const proxied = (port: number) => ({
  source: { address: "192.0.2.7", port: 51_234 },
  destination: { address: "198.51.100.9", port },
});
const request = "GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";

/** A plain and a TLS port that want PROXY headers, believed of these ranges. */
async function start(t: TestContext, from: readonly string[] = ["127.0.0.1"]): Promise<readonly [number, number]> {
  const listeners = [false, true].map((tls) => ({ host: "127.0.0.1", port: 0, tls }));
  const { plane } = await startPlane(t, {
    listeners,
    proxyProtocol: { isRequired: true, from },
    limits: { tickMs: 10, greetingMs: 300 },
  });
  const filters = [{ type: "source-ranges", allow: ["192.0.2.0/24", "127.0.0.0/8"], deny: ["192.0.2.9"] }] as const;
  await plane.apply(
    change({
      hosts: [host("*", [route("all", { filters })])],
      backends: [backend("b", [await echoEndpoint(t)])],
      certificates: [["own", { id: "own", ...(await makePair("a.example")) }]],
      defaultCertificate: "own",
    }),
  );
  const [open = 0, secure = 0] = plane.addresses.map(({ port }) => port);
  return [open, secure];
}

test("requests are those of the client that a trusted proxy speaks for", async (t) => {
  const [port] = await start(t);
  for (const version of [1, 2] as const) {
    const bytes = Buffer.concat([writeProxyHeader(version, proxied(80)), Buffer.from(request)]);
    for (let cut = 0; cut < bytes.length - request.length + 3; cut += 1) {
      const client = await dial(t, port);
      client.socket.setNoDelay(true);
      client.socket.write(bytes.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.write(bytes.subarray(cut));
      const text = await client.end();
      assert.match(text, /^X-Real-IP: 192\.0\.2\.7$/m, `version ${version}, cut at ${cut}`);
      assert.match(text, /^X-Forwarded-For: 192\.0\.2\.7$/m);
      assert.match(text, /^X-Forwarded-Port: 80$/m);
      assert.match(text, /^X-Forwarded-Proto: http$/m);
    }
  }
});

test("who reached the proxy at port 443 came by HTTPS", async (t) => {
  const [port] = await start(t);
  const client = await dial(t, port);
  client.socket.write(Buffer.concat([writeProxyHeader(2, proxied(443)), Buffer.from(request)]));
  assert.match(await client.end(), /^X-Forwarded-Proto: https$/m);
});

test("the address counts for who may come in", async (t) => {
  const [port] = await start(t);
  const client = await dial(t, port);
  const denied = { ...proxied(80), source: { address: "192.0.2.9", port: 1 } };
  client.socket.write(Buffer.concat([writeProxyHeader(1, denied), Buffer.from(request)]));
  assert.match(await client.end(), /^HTTP\/1\.1 403 /);
});

test("the header comes before TLS", async (t) => {
  const [, port] = await start(t);
  for (const split of [false, true]) {
    const raw = plain(port, "127.0.0.1");
    t.after(() => raw.destroy());
    raw.write(writeProxyHeader(split ? 2 : 1, proxied(443)));
    if (split) await new Promise((resolve) => setImmediate(resolve));
    const socket = connect({ socket: raw, servername: "a.example", rejectUnauthorized: false });
    t.after(() => socket.destroy());
    const client = new RawClient(socket);
    client.send(request);
    const text = await client.end();
    assert.match(text, /^X-Real-IP: 192\.0\.2\.7$/m);
    assert.match(text, /^X-Forwarded-Proto: https$/m);
  }
});

test("a header from anybody else is not believed, and without one nobody is served", async (t) => {
  const [port, secure] = await start(t, ["10.0.0.0/8"]);
  const client = await dial(t, port);
  client.socket.write(Buffer.concat([writeProxyHeader(1, proxied(443)), Buffer.from(request)]));
  const text = await client.end();
  assert.match(text, /^X-Real-IP: 127\.0\.0\.1$/m);
  assert.match(text, /^X-Forwarded-Proto: http$/m);
  for (const to of [port, secure]) {
    const bare = await dial(t, to);
    bare.send(request);
    assert.equal(await bare.end(), "");
  }
  const silent = await dial(t, port);
  assert.equal(await silent.end(), "", "closed after its time");
});
