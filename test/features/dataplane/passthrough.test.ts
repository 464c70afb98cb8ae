import assert from "node:assert/strict";
import { createServer } from "node:tls";
import { connect as plain } from "node:net";
import { test, type TestContext } from "node:test";
import { connect } from "node:tls";
import { makePair } from "../../fakes/certificate.ts";
import type { HostEntry } from "#dataplane/table.ts";
import { backend, change, deadPort, echoEndpoint, host, listening, RawClient, route, startPlane } from "./harness.ts";

const tlsListener = { listeners: [{ host: "127.0.0.1", port: 0, tls: true }] };
const rules = { backend: "pod", connectMs: 5000, idleMs: 60_000, tries: 3 };

function passed(name: string, id = "pod"): readonly [string, HostEntry] {
  const [, entry] = host(name, [route(`r-${name}`, { backend: "b" })]);
  return [name, { ...entry, passthrough: { ...rules, backend: id } }];
}

/** An endpoint with TLS of its own that says who it is. */
async function tlsEndpoint(t: TestContext, names: string): Promise<number> {
  const server = createServer({ ...(await makePair(names)), allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.write("pod ");
    socket.pipe(socket);
  });
  return listening(t, server);
}

/** The common or first alternative name that a client is shown, and what it reads. */
async function ask(t: TestContext, port: number, servername: string): Promise<{ shown: string; client: RawClient }> {
  const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return { shown: socket.getPeerCertificate().subjectaltname ?? "", client: new RawClient(socket) };
}

test("TLS goes to the endpoint as it is, and other hosts of the same port are served as ever", async (t) => {
  const { plane, port } = await startPlane(t, tlsListener);
  const own = await makePair("ours.example");
  await plane.apply(
    change({
      hosts: [
        passed("a.example"),
        passed("*.wild.example"),
        host("b.wild.example", [route("w", {})]),
        host("*", [route("r", {})]),
      ],
      backends: [backend("pod", [await tlsEndpoint(t, "pod.example")]), backend("b", [await echoEndpoint(t)])],
      certificates: [["own", { id: "own", ...own }]],
      defaultCertificate: "own",
    }),
  );
  for (const [name, wanted] of [
    ["a.example", "DNS:pod.example"],
    ["A.Example", "DNS:pod.example"],
    ["c.wild.example", "DNS:pod.example"],
    ["b.wild.example", "DNS:ours.example"],
    ["other.example", "DNS:ours.example"],
    ["", "DNS:ours.example"],
  ] as const) {
    const { shown, client } = await ask(t, port, name);
    assert.equal(shown, wanted, name);
    if (wanted === "DNS:pod.example") {
      client.send("hello");
      assert.equal(await client.until(/hello/), "pod hello");
    } else {
      client.send(`GET / HTTP/1.1\r\nHost: x.example\r\nConnection: close\r\n\r\n`);
      assert.match(await client.end(), /^HTTP\/1\.1 200 /);
    }
  }
  assert.equal(plane.counters().backends.get("pod")?.requests, 3);
});

test("a greeting may come byte by byte; one that never ends is closed after its time", async (t) => {
  const { plane, port } = await startPlane(t, { ...tlsListener, limits: { tickMs: 10, greetingMs: 300 } });
  const endpoint = await tlsEndpoint(t, "pod.example");
  const own = await makePair("ours.example");
  await plane.apply(
    change({
      hosts: [passed("a.example")],
      backends: [backend("pod", [endpoint])],
      certificates: [["own", { id: "own", ...own }]],
      defaultCertificate: "own",
    }),
  );
  const silent = new RawClient(plain(port, "127.0.0.1"));
  t.after(() => silent.socket.destroy());
  silent.send("\x16\x03\x01");
  assert.equal(await silent.end(), "");
  // What is no TLS at all gets what TLS says to it.
  const wrong = new RawClient(plain(port, "127.0.0.1"));
  t.after(() => wrong.socket.destroy());
  wrong.send("GET / HTTP/1.1\r\n\r\n");
  await wrong.end();
});

test("a change of the table leaves what is open; without an endpoint connections are closed", async (t) => {
  const { plane, port } = await startPlane(t, tlsListener);
  const own = await makePair("ours.example");
  const pod = await tlsEndpoint(t, "pod.example");
  await plane.apply(
    change({
      hosts: [passed("a.example"), passed("dead.example", "dead")],
      backends: [backend("pod", [pod]), backend("dead", [await deadPort()])],
      certificates: [["own", { id: "own", ...own }]],
      defaultCertificate: "own",
    }),
  );
  await assert.rejects(ask(t, port, "dead.example"));
  const failures = await plane.failures();
  assert.deepEqual(
    failures.map(({ route, backend, reason, status }) => [route, backend, reason, status]),
    [["tls:dead.example", "dead", "refused", 502]],
  );
  const { client } = await ask(t, port, "a.example");
  await plane.apply(change({ hosts: [host("a.example", [route("r", {})])], backends: [["pod", undefined]] }));
  client.send("still here");
  assert.equal(await client.until(/here/), "pod still here");
  assert.equal((await ask(t, port, "a.example")).shown, "DNS:ours.example");
});
