import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { connect as connectHttp2 } from "node:http2";
import { test, type TestContext } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { distinguishedName } from "#dataplane/tls/peer.ts";
import type { ClientAuth, HostEntry } from "#dataplane/table.ts";
import { createAuthority, type Authority, type Pair } from "../../fakes/authority.ts";
import { makePair } from "../../fakes/certificate.ts";
import {
  backend,
  change,
  echoEndpoint,
  field,
  host,
  RawClient,
  replyOf,
  route,
  startPlane,
  type Plane,
} from "./harness.ts";

type Rules = Partial<ClientAuth> & Pick<ClientAuth, "ca">;

function guarded(name: string, rules: Rules): readonly [string, HostEntry] {
  const [, entry] = host(name, [route(`r-${name}`, {})]);
  const auth: ClientAuth = {
    id: `${name} ${rules.ca.slice(60, 90)}`,
    verify: "on",
    depth: 1,
    passCertificate: false,
    ...rules,
  };
  return [name, { ...entry, clientAuth: auth }];
}

/** Hosts with these rules and `open.example` without any, on TLS, before an endpoint that echoes the request. */
async function start(t: TestContext, hosts: Record<string, Rules>): Promise<Plane> {
  const started = await startPlane(t, {
    listeners: [true, false].map((tls) => ({ host: "127.0.0.1", port: 0, tls })),
  });
  const own = await makePair("ours.example");
  await started.plane.apply(
    change({
      hosts: [
        ...Object.entries(hosts).map(([name, rules]) => guarded(name, rules)),
        host("open.example", [route("o", {})]),
      ],
      backends: [backend("b", [await echoEndpoint(t)])],
      certificates: [["own", { id: "own", ...own }]],
      defaultCertificate: "own",
    }),
  );
  return started;
}

type Hello = Partial<ConnectionOptions> & { servername: string };

async function handshake(t: TestContext, port: number, hello: Hello): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...hello });
  t.after(() => socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return socket;
}

/** The answer to a request for `name` (the server that TLS asked for by default), and the body. */
async function ask(
  t: TestContext,
  port: number,
  hello: Hello,
  name = hello.servername,
  fields: readonly string[] = [],
) {
  const client = new RawClient(await handshake(t, port, hello));
  client.send(`GET / HTTP/1.1\r\n${[`Host: ${name}`, ...fields, "Connection: close"].join("\r\n")}\r\n\r\n`);
  return replyOf(await client.end());
}

const noCertificate = /<title>400 No required SSL certificate was sent<\/title>[^]*<center>No required SSL/;
const badCertificate = /<title>400 The SSL certificate error<\/title>[^]*<center>The SSL certificate error/;

let root: Authority;
let other: Authority;
let ann: Pair;

async function authorities(): Promise<void> {
  root ??= await createAuthority("CN=Root");
  other ??= await createAuthority("CN=Other");
  ann ??= await root.sign("CN=ann,O=Acme", { names: "ann.example" });
}

test("only clients with a certificate of the host's authority are let in; others are told in nginx's words", async (t) => {
  await authorities();
  const { port } = await start(t, { "a.example": { ca: root.cert } });
  const servername = "a.example";
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const hello = { servername, minVersion: version, maxVersion: version };
    const let_in = await ask(t, port, { ...hello, ...ann });
    assert.equal(let_in.status, 200, version);
    assert.match(let_in.body, /^ssl-client-verify: SUCCESS$/m);
    assert.match(let_in.body, /^ssl-client-subject-dn: (CN=ann,O=Acme|O=Acme,CN=ann)$/m);
    assert.match(let_in.body, /^ssl-client-issuer-dn: CN=Root$/m);
    assert.doesNotMatch(let_in.body, /ssl-client-cert/);
    const none = await ask(t, port, hello);
    assert.equal(none.status, 400);
    assert.match(none.body, noCertificate);
    const foreign = await ask(t, port, { ...hello, ...(await other.sign("CN=ann")) });
    assert.equal(foreign.status, 400);
    assert.match(foreign.body, badCertificate);
    const old = await ask(t, port, { ...hello, ...(await root.sign("CN=old", { expired: true })) });
    assert.match(old.body, badCertificate);
  }
});

test("the same over HTTP/2", async (t) => {
  await authorities();
  const { port } = await start(t, { "a.example": { ca: root.cert } });
  for (const [pair, wanted] of [
    [ann, 200],
    [{}, 400],
  ] as const) {
    const session = connectHttp2(`https://a.example:${port}`, {
      createConnection: () =>
        connect({
          port,
          host: "127.0.0.1",
          servername: "a.example",
          rejectUnauthorized: false,
          ALPNProtocols: ["h2"],
          ...pair,
        }),
    });
    t.after(() => session.destroy());
    const statusOf = async (authority: string) => {
      const stream = session.request({ ":path": "/", ":authority": authority });
      stream.resume();
      const [headers] = (await once(stream, "response")) as [{ ":status": number }];
      return headers[":status"];
    };
    assert.equal(await statusOf("a.example"), wanted);
    // Another host on the same connection.
    assert.equal(await statusOf("open.example"), 200);
  }
});

test("nobody gets in by the name of another host, or without any", async (t) => {
  await authorities();
  const { port } = await start(t, { "a.example": { ca: root.cert }, "b.example": { ca: other.cert } });
  for (const servername of ["open.example", "b.example", "unknown.example"]) {
    assert.equal((await ask(t, port, { servername, ...ann }, "a.example")).status, 421, servername);
  }
  const nameless = await ask(t, port, { servername: "", ...ann }, "a.example");
  assert.equal(nameless.status, 400);
  assert.match(nameless.body, noCertificate);
  assert.equal((await ask(t, port, { servername: "a.example", ...ann }, "A.EXAMPLE.")).status, 200);
  assert.equal((await ask(t, port, { servername: "A.example", ...ann }, "a.example:443")).status, 200);
});

test("nobody gets in by resuming a session, of this host or of another", async (t) => {
  await authorities();
  const { port } = await start(t, { "a.example": { ca: root.cert }, "b.example": { ca: other.cert } });
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const limits = { minVersion: version, maxVersion: version };
    for (const [from, pair] of [
      ["open.example", {}],
      ["a.example", ann],
      ["b.example", await other.sign("CN=bob")],
    ] as const) {
      const first = await handshake(t, port, { servername: from, ...limits, ...pair });
      let session = first.getSession();
      first.on("session", (fresh) => (session = fresh));
      // What the server sends after its handshake comes before its answer.
      const client = new RawClient(first);
      client.send(`GET / HTTP/1.1\r\nHost: ${from}\r\nConnection: close\r\n\r\n`);
      await client.end();
      const again = await ask(t, port, { servername: "a.example", ...limits, session });
      assert.equal(again.status, 400, `${version} from ${from}`);
      assert.match(again.body, noCertificate);
    }
  }
});

test("optional: without a certificate as well, but not with a bad one", async (t) => {
  await authorities();
  const { port } = await start(t, { "a.example": { ca: root.cert, verify: "optional" } });
  const servername = "a.example";
  const said = ["ssl-client-verify: SUCCESS", "ssl-client-subject-dn: CN=root", "SSL-Client-Cert: forged"];
  const none = await ask(t, port, { servername }, servername, said);
  assert.equal(none.status, 200);
  assert.match(none.body, /^ssl-client-verify: NONE$/m);
  assert.doesNotMatch(none.body, /subject-dn|ssl-client-cert/i);
  assert.match((await ask(t, port, { servername, ...ann })).body, /^ssl-client-verify: SUCCESS$/m);
  assert.match((await ask(t, port, { servername, ...(await other.sign("CN=x")) })).body, badCertificate);
});

test("optional_no_ca: of any authority, but not one that is over; the endpoint gets the verdict and the certificate", async (t) => {
  await authorities();
  const { port } = await start(t, {
    "a.example": { ca: root.cert, verify: "optional_no_ca", passCertificate: true },
  });
  const servername = "a.example";
  const stranger = await other.sign("CN=x");
  const { status, body } = await ask(t, port, { servername, ...stranger });
  assert.equal(status, 200);
  assert.match(body, /^ssl-client-verify: FAILED:unable to (get local issuer|verify the first) certificate$/m);
  const passed = /^ssl-client-cert: (.*)$/m.exec(body)?.[1] ?? "";
  assert.match(passed, /^-----BEGIN%20CERTIFICATE-----%0A/);
  assert.equal(decodeURIComponent(passed).trim(), stranger.cert.trim());
  const old = await root.sign("CN=old", { expired: true });
  assert.match((await ask(t, port, { servername, ...old })).body, badCertificate);
});

test("certificates that were revoked, and chains that are too long, are bad ones", async (t) => {
  await authorities();
  const bob = await root.sign("CN=bob");
  const below = await root.below("CN=Below");
  const lower = await below.below("CN=Lower");
  const chained = async (from: Authority, ...more: Authority[]) => {
    const pair = await from.sign("CN=deep");
    return { key: pair.key, cert: [pair.cert, ...more.map(({ cert }) => cert)].join("\n") };
  };
  const { port } = await start(t, {
    "crl.example": { ca: root.cert, crl: await root.revoke([bob.cert]) },
    "deep.example": { ca: root.cert, depth: 1 },
    "deeper.example": { ca: root.cert, depth: 2 },
    "flat.example": { ca: root.cert, depth: 0 },
  });
  assert.equal((await ask(t, port, { servername: "crl.example", ...ann })).status, 200);
  assert.match((await ask(t, port, { servername: "crl.example", ...bob })).body, badCertificate);
  const [one, two] = [await chained(below, below), await chained(lower, lower, below)];
  for (const [servername, pair, wanted] of [
    ["flat.example", ann, 200],
    ["flat.example", one, 400],
    ["deep.example", one, 200],
    ["deep.example", two, 400],
    ["deeper.example", two, 200],
  ] as const) {
    assert.equal((await ask(t, port, { servername, ...pair })).status, wanted, servername);
  }
});

test("a subject may be asked for: somewhere in the name, case and all", async (t) => {
  await authorities();
  const [servername, plain] = ["a.example", "b.example"];
  const { plane, port } = await start(t, {
    [servername]: { ca: root.cert, verify: "optional", subject: "CN=(ann|b.b)" },
    [plain]: { ca: root.cert, subject: "CN=a$" },
  });
  const bob = await root.sign("CN=bob");
  const upper = await root.sign("CN=ANN");
  for (const [pair, wanted] of [
    [ann, 200],
    [bob, 200],
    [upper, 403],
    [{}, 403],
  ] as const) {
    const { status, body } = await ask(t, port, { servername, ...pair });
    assert.equal(status, wanted);
    if (wanted === 403) assert.equal(body, "client certificate unauthorized");
  }
  assert.equal((await ask(t, port, { servername: plain, ...ann })).status, 403);
  assert.equal((await ask(t, port, { servername: plain, ...(await root.sign("CN=a")) })).status, 200);
  // Without TLS, the route's own filter speaks.
  const filters = [{ type: "client-certificate", bySubject: true }] as const;
  await plane.apply(change({ hosts: [host("open.example", [route("o", { filters })])] }));
  const open = new RawClient(connectPlain(plane.addresses[1]?.port ?? 0, "127.0.0.1"));
  t.after(() => open.socket.destroy());
  open.send("GET / HTTP/1.1\r\nHost: open.example\r\nConnection: close\r\n\r\n");
  assert.match(await open.end(), /^HTTP\/1\.1 403 [^]*client certificate unauthorized$/);
});

test("an error page takes the place of 400", async (t) => {
  await authorities();
  const { port } = await start(t, { "a.example": { ca: root.cert, errorPage: "https://help.example/?why=cert" } });
  const { status, head } = await ask(t, port, { servername: "a.example" });
  assert.equal(status, 302);
  assert.equal(field(head, "Location"), "https://help.example/?why=cert");
});

test("new rules hold at once: a connection that was checked by others has to be made anew", async (t) => {
  await authorities();
  const { plane, port } = await start(t, { "a.example": { ca: root.cert } });
  const client = new RawClient(await handshake(t, port, { servername: "a.example", ...ann }));
  client.send("GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n");
  assert.match(await client.until(/body 0\n/), /^HTTP\/1.1 200 /);
  await plane.apply(change({ hosts: [guarded("a.example", { ca: other.cert })] }));
  client.send("GET /2 HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  assert.match(await client.end(), /HTTP\/1.1 421 /);
  assert.match((await ask(t, port, { servername: "a.example", ...ann })).body, badCertificate);
  assert.equal((await ask(t, port, { servername: "a.example", ...(await other.sign("CN=bob")) })).status, 200);
  // A change that leaves the rules as they are leaves connections as they are.
  const steady = new RawClient(await handshake(t, port, { servername: "a.example", ...(await other.sign("CN=bob")) }));
  await plane.apply(change({ hosts: [guarded("a.example", { ca: other.cert })] }));
  steady.send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  assert.match(await steady.end(), /^HTTP\/1.1 200 /);
});

test("names are written as RFC 2253 has them", () => {
  assert.equal(distinguishedName("C=CH\nO=Acm\u00e9\\, Inc.\nCN=ann"), "CN=ann,O=Acm\\C3\\A9\\, Inc.,C=CH");
  assert.equal(distinguishedName(undefined), "");
});
