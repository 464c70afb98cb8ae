import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer } from "node:https";
import { connect as plain } from "node:net";
import { test, type TestContext } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import type { CertificateEntry } from "#dataplane/table.ts";
import { backend, change, echoEndpoint, host, listening, RawClient, route, startPlane } from "./harness.ts";

/** A self-signed certificate whose common name is its id. */
function certificate(id: string): readonly [string, CertificateEntry] {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  const args = ["req", "-x509", ...curve, "-keyout", "-", "-out", "-", "-days", "2", "-subj", `/CN=${id}`];
  const pem = execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const cut = pem.indexOf("-----BEGIN CERTIFICATE-----");
  return [id, { id, cert: pem.slice(cut), key: pem.slice(0, cut) }];
}

async function secure(
  t: TestContext,
  port: number,
  servername: string,
  protocols: string[] = ["http/1.1"],
): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    servername,
    rejectUnauthorized: false,
    ALPNProtocols: protocols,
  });
  t.after(() => socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return socket;
}

const tlsListener = { listeners: [{ host: "127.0.0.1", port: 0, tls: true }] };

test("the server name chooses the certificate: exact, wildcard, default", async (t) => {
  const { plane, port } = await startPlane(t, tlsListener);
  await plane.apply(
    change({
      hosts: [host("a.example", [], "one"), host("*.example", [], "two"), host("plain.test", [])],
      certificates: [certificate("one"), certificate("two"), certificate("fallback")],
      defaultCertificate: "fallback",
    }),
  );
  for (const [name, wanted] of [
    ["a.example", "one"],
    ["A.EXAMPLE", "one"],
    ["b.example", "two"],
    ["x.b.example", "fallback"],
    ["plain.test", "fallback"],
    ["", "fallback"],
  ] as const) {
    const socket = await secure(t, port, name);
    assert.equal(socket.getPeerCertificate().subject.CN, wanted, name);
    assert.match(socket.getProtocol() ?? "", /^TLSv1\.[23]$/);
  }
});

test("HTTP/2 is offered, unless it is turned off", async (t) => {
  for (const http2 of [true, false]) {
    const { plane, port } = await startPlane(t, { ...tlsListener, http2 });
    await plane.apply(change({ certificates: [certificate("one")], defaultCertificate: "one" }));
    for (const [offered, wanted] of [
      [["h2", "http/1.1"], http2 ? "h2" : "http/1.1"],
      [["http/1.1", "h2"], http2 ? "h2" : "http/1.1"],
      [["http/1.1"], "http/1.1"],
    ] as const) {
      assert.equal((await secure(t, port, "a.example", [...offered])).alpnProtocol, wanted);
    }
  }
});

test("a new certificate serves the next handshake; connections that are open stay", async (t) => {
  const { plane, port } = await startPlane(t, tlsListener);
  const [, one] = certificate("one");
  const [, two] = certificate("two");
  const routes = [route("r", {})];
  await plane.apply(
    change({
      hosts: [host("a.example", routes, "c")],
      backends: [backend("b", [await echoEndpoint(t)])],
      certificates: [
        ["c", one],
        ["d", one],
      ],
      defaultCertificate: "d",
    }),
  );
  const socket = await secure(t, port, "a.example");
  const client = new RawClient(socket);
  await plane.apply(
    change({
      certificates: [
        ["c", two],
        ["d", two],
      ],
    }),
  );
  client.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  const text = await client.until(/body 0\n/);
  assert.match(text, /X-Forwarded-Proto: https\n/);
  assert.match(text, /X-Forwarded-Port: 443\n/);
  assert.equal((await secure(t, port, "a.example")).getPeerCertificate().subject.CN, "two");
  assert.equal((await secure(t, port, "")).getPeerCertificate().subject.CN, "two");
});

test("a certificate that cannot be read leaves the last good one", async (t) => {
  const { plane, port } = await startPlane(t, tlsListener);
  const entries = [certificate("c")];
  await plane.apply(change({ hosts: [host("a.example", [], "c")], certificates: entries, defaultCertificate: "c" }));
  await plane.apply(change({ certificates: [["c", { id: "c", cert: "nonsense", key: "nonsense" }]] }));
  assert.equal((await secure(t, port, "a.example")).getPeerCertificate().subject.CN, "c");
});

test("an endpoint that speaks HTTPS is reached by TLS, and one that does not is 502", async (t) => {
  const { plane, port } = await startPlane(t);
  const [, { cert, key }] = certificate("pod");
  const server = createServer({ cert, key }, (request, response) => {
    let got = 0;
    request.on("data", (chunk: Buffer) => (got += chunk.length));
    request.on("end", () => response.end(`got ${got} ${"z".repeat(200_000)}`));
  });
  const https = await listening(t, server);
  const http = await echoEndpoint(t);
  const protocol = "https";
  await plane.apply(
    change({
      hosts: [host("good", [route("g", { backend: "g" })]), host("bad", [route("x", { backend: "x" })])],
      backends: [backend("g", [https], { protocol }), backend("x", [http], { protocol })],
    }),
  );
  for (const [name, wanted] of [
    ["good", /got 100000 z{200000}/],
    ["bad", /^HTTP\/1.1 502 /],
  ] as const) {
    const client = new RawClient(plain(port, "127.0.0.1"));
    t.after(() => client.socket.destroy());
    client.send(
      `POST / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n${"y".repeat(100_000)}`,
    );
    assert.match((await client.end()).replaceAll(/\r\n[0-9a-f]+\r\n/g, ""), wanted);
  }
});

test("fields for TLS alone, such as Strict-Transport-Security, stay away from plain HTTP", async (t) => {
  const { plane, port } = await startPlane(t, {
    listeners: [...tlsListener.listeners, { host: "127.0.0.1", port: 0, tls: false }],
  });
  const set = [["Strict-Transport-Security", "max-age=31536000"]] as const;
  const filters = [{ type: "response-headers", set, secureOnly: true }] as const;
  await plane.apply(
    change({
      hosts: [host("a.example", [route("r", { filters })])],
      backends: [backend("b", [await echoEndpoint(t)])],
      certificates: [certificate("c")],
      defaultCertificate: "c",
    }),
  );
  const request = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
  const client = new RawClient(await secure(t, port, "a.example"));
  client.send(request);
  assert.match(await client.end(), /^Strict-Transport-Security: max-age=31536000\r$/m);
  const open = new RawClient(plain(plane.addresses[1]?.port ?? 0, "127.0.0.1"));
  t.after(() => open.socket.destroy());
  open.send(request);
  assert.doesNotMatch(await open.end(), /Strict-Transport/);
});
