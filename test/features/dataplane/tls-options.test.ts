import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { defaultTls, type TlsSettings } from "#dataplane/tls/settings.ts";
import { startDataplane, type RunningDataplane } from "#dataplane/workers.ts";
import { makePair } from "../../fakes/certificate.ts";
import { backend, change, echoEndpoint, host, quick, RawClient, route } from "./harness.ts";

async function start(t: TestContext, tls: Partial<TlsSettings>, workers = 0): Promise<RunningDataplane> {
  const plane = await startDataplane({
    listeners: [{ host: "127.0.0.1", port: 0, tls: true }],
    workers,
    log: silentLog,
    clock: systemClock,
    limits: quick,
    tls: { ...defaultTls, ...tls },
  });
  t.after(() => plane.stop({ drainMs: 0 }));
  const routes = [route("r", {})];
  const [, special] = host("special.example", [route("s", {})], "own");
  await plane.apply(
    change({
      hosts: [host("a.example", routes, "own"), ["special.example", { ...special, ciphers: special256 }]],
      backends: [backend("b", [await echoEndpoint(t)])],
      certificates: [
        ["own", { id: "own", ...(await makePair("a.example")) }],
        ["default", { id: "default", ...(await makePair("default.example")) }],
      ],
      defaultCertificate: "default",
    }),
  );
  return plane;
}

const special256 = "ECDHE-ECDSA-AES256-GCM-SHA384";

async function handshake(t: TestContext, plane: RunningDataplane, hello: ConnectionOptions): Promise<TLSSocket> {
  const port = plane.addresses[0]?.port ?? 0;
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...hello });
  t.after(() => socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return socket;
}

test("the oldest and the newest version", async (t) => {
  const all = { minVersion: "TLSv1.2", maxVersion: "TLSv1.3" } as const;
  const [old, modern] = [{ maxVersion: "TLSv1.2" }, { minVersion: "TLSv1.3" }] as const;
  for (const servername of ["a.example", "unknown.example"]) {
    const [both, only13, only12] = [await start(t, all), await start(t, modern), await start(t, old)];
    assert.equal((await handshake(t, both, { servername })).getProtocol(), "TLSv1.3");
    assert.equal((await handshake(t, both, { servername, ...old })).getProtocol(), "TLSv1.2");
    assert.equal((await handshake(t, only13, { servername })).getProtocol(), "TLSv1.3");
    await assert.rejects(handshake(t, only13, { servername, ...old }));
    assert.equal((await handshake(t, only12, { servername })).getProtocol(), "TLSv1.2");
    await assert.rejects(handshake(t, only12, { servername, ...modern }));
  }
});

test("ciphers of TLS 1.2, of all hosts and of one", async (t) => {
  const plane = await start(t, { ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" });
  const maxVersion = "TLSv1.2";
  const nameOf = async (servername: string, ciphers?: string) => {
    const offered = ciphers === undefined ? {} : { ciphers };
    return (await handshake(t, plane, { servername, maxVersion, ...offered })).getCipher().name;
  };
  assert.equal(await nameOf("a.example"), "ECDHE-ECDSA-AES128-GCM-SHA256");
  assert.equal(await nameOf("unknown.example"), "ECDHE-ECDSA-AES128-GCM-SHA256");
  assert.equal(await nameOf("special.example"), special256);
  await assert.rejects(nameOf("a.example", special256));
  await assert.rejects(nameOf("special.example", "ECDHE-ECDSA-AES128-GCM-SHA256"));
  // Those of TLS 1.3 are not touched.
  assert.equal((await handshake(t, plane, { servername: "special.example" })).getProtocol(), "TLSv1.3");
});

test("groups of the key exchange", async (t) => {
  const plane = await start(t, { curves: "P-384" });
  for (const servername of ["a.example", "unknown.example"]) {
    const socket = await handshake(t, plane, { servername, maxVersion: "TLSv1.2" });
    assert.deepEqual(socket.getEphemeralKeyInfo(), { type: "ECDH", name: "secp384r1", size: 384 });
    await assert.rejects(handshake(t, plane, { servername, ecdhCurve: "X25519" }));
  }
});

test("a session goes on at any worker, also for hosts with a certificate of their own", async (t) => {
  const plane = await start(t, {}, 2);
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    for (const servername of ["a.example", "unknown.example"]) {
      const hello = { servername, minVersion: version, maxVersion: version };
      const first = await handshake(t, plane, hello);
      let session = first.getSession();
      first.on("session", (fresh) => (session = fresh));
      const client = new RawClient(first);
      client.send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
      await client.end();
      // The kernel spreads these over both workers: that all 16 meet the first one's is a chance of 1 in 32768.
      for (let turn = 0; turn < 16; turn += 1) {
        const again = await handshake(t, plane, { ...hello, session });
        assert.equal(again.isSessionReused(), true, `${version} ${servername}`);
        again.destroy();
      }
    }
  }
});
