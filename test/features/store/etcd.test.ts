import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { StoreEvent } from "#store/contract.ts";
import { openEtcdStore, type EtcdOptions } from "#store/drivers/etcd.ts";
import { StoreError, type StoreErrorCode } from "#store/error.ts";
import { put, text } from "../../conformance/store/suite.ts";
import { startTestServer, testCertificates } from "../../fakes/api-server.ts";
import { makePair } from "../../fakes/certificate.ts";
import { manualClock } from "../../fakes/clock.ts";
import { startEtcd, whyNoEtcd, type TestEtcd } from "../../fakes/etcd.ts";

const failing = (code: StoreErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof StoreError && error.code === code && message.test(error.message);

test("an etcd that cannot be reached is told by name", async () => {
  await assert.rejects(
    openEtcdStore({ servers: ["http://127.0.0.1:9"] }),
    failing("unreachable", /^etcd at http:\/\/127\.0\.0\.1:9 does not answer \(.*\): is it running\?$/),
  );
});

describe("objects in etcd", { skip: whyNoEtcd() }, () => {
  let running: Promise<TestEtcd> | undefined;
  after(async () => (await running)?.dispose());
  const open = async (options: Partial<EtcdOptions> = {}) => {
    const { url } = await (running ??= startEtcd());
    return openEtcdStore({ servers: [url], ...options });
  };

  test("what another process writes is seen, by revision and by watch", async (t) => {
    const [mine, other] = await Promise.all([open(), open()]);
    t.after(() => Promise.all([mine.close(), other.close()]));
    const since = await mine.revision();
    const seen: StoreEvent[] = [];
    let told = (_revision: number) => {};
    const progress = new Promise<number>((resolve) => (told = resolve));
    const stop = mine.watch("/other/", since, { event: (event) => seen.push(event), progress: told, end() {} });
    const revision = await put(other, "/other/a", "1");
    assert.equal(await mine.revision(), revision);
    assert.equal(await progress, revision);
    assert.deepEqual(
      seen.map(({ key, entry }) => `${key} ${text(entry?.value)}`),
      ["/other/a 1"],
    );
    stop();
  });

  test("of several members, one that is dead keeps nothing from being read, written or watched", async (t) => {
    const { url } = await (running ??= startEtcd());
    const store = await openEtcdStore({ servers: ["http://127.0.0.1:9", url] });
    t.after(() => store.close());
    let last = await store.revision();
    let seen = last;
    const stop = store.watch("/member/", last, { event: ({ revision }) => (seen = revision), end() {} });
    for (let turn = 0; turn < 20; turn += 1) {
      last = await put(store, "/member/a", String(turn));
      assert.equal(text((await store.get("/member/a"))?.value), String(turn));
      assert.equal(seen, last);
    }
    stop();
  });

  test("a list of more than a message's worth is whole, and of one moment", async (t) => {
    const store = await open();
    t.after(() => store.close());
    const names = Array.from({ length: 2500 }, (_, index) => `/many/${String(index).padStart(5, "0")}`);
    for (let from = 0; from < names.length; from += 100) {
      const value = Buffer.alloc(3000, "x");
      await store.commit(names.slice(from, from + 100).map((key) => ({ type: "put", key, value })));
    }
    const all = await store.list({ prefix: "/many/" });
    assert.deepEqual(
      all.entries.map(({ key }) => key),
      names,
    );
    assert.equal(all.revision, await store.revision());
    assert.equal(all.remaining, 0);
    const page = await store.list({ prefix: "/many/", limit: 1200, after: names[9] });
    assert.deepEqual([page.entries.length, page.entries[0]?.key, page.remaining], [1200, names[10], 1290]);
    // A history of several messages comes whole as well.
    let count = 0;
    const stop = await new Promise<() => void>((resolve) => {
      const end = store.watch("/many/", all.revision - 25, {
        event: () => (count += 1),
        progress: (revision) => revision >= all.revision && resolve(end),
        end() {},
      });
    });
    stop();
    assert.equal(count, 2500);
  });

  test("a change that is larger than etcd takes is refused with what to do", async (t) => {
    const store = await open();
    t.after(() => store.close());
    const write = { type: "put", key: "/large", value: Buffer.alloc(3_000_000) } as const;
    await assert.rejects(store.commit([write]), failing("too-large", /refuses a change of this size: store less/));
    assert.equal(await store.get("/large"), undefined);
  });

  test("the objects of another API server are left alone", async (t) => {
    const store = await open();
    t.after(() => store.close());
    await store.commit([{ type: "put", key: "/registry/pods/a/b", value: Buffer.from("k8s\0\n\t") }]);
    await assert.rejects(
      startTestServer({ store }),
      failing("foreign", /^\/registry\/pods\/a\/b in the store is not an object of Fairlead's/),
    );
    await store.commit([{ type: "delete", key: "/registry/pods/a/b" }]);
  });

  test("an API server that missed changes for good begins anew, and its watches are told so", async (t) => {
    const etcd = await startEtcd();
    t.after(() => etcd.dispose());
    const clock = manualClock();
    const store = await openEtcdStore({ servers: [etcd.url], clock });
    const server = await startTestServer({ store });
    t.after(async () => {
      await server.stop();
      await store.close();
    });
    const client = server.localClient({ name: "test", groups: ["system:masters"] });
    const { metadata } = await client.create("Namespace", { metadata: { name: "n" } });
    const since = metadata.resourceVersion ?? "";
    const ended = new Promise<string>((resolve) => {
      client.watch("Namespace", { since }, { event() {}, end: ({ reason }) => resolve(reason) });
    });
    // This server's next try waits for its clock; until then another one writes, and history is compacted beyond it.
    await etcd.kill();
    while (clock.pending() === 0) await setImmediate();
    await etcd.start();
    const other = await openEtcdStore({ servers: [etcd.url] });
    await other.commit([{ type: "delete", key: "/registry/namespaces/n" }]);
    await other.compact(await put(other, "/elsewhere", "1"));
    await other.close();
    clock.advance(2000);
    assert.equal(await ended, "expired");
    assert.equal(await client.get("Namespace", { name: "n" }), undefined);
    // From there on it follows again.
    await client.create("Namespace", { metadata: { name: "m" } });
  });

  test("by TLS, with a certificate of one's own; without the right authority it is no etcd of ours", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-etcd-tls-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const { ca, server, admin } = await testCertificates();
    const file = (name: string, pem: string) => {
      writeFileSync(join(folder, name), pem, { mode: 0o600 });
      return join(folder, name);
    };
    const shown = ["--cert-file", file("server.crt", server.cert), "--key-file", file("server.key", server.key)];
    const asked = ["--client-cert-auth", "--trusted-ca-file", file("ca.crt", ca)];
    const etcd = await startEtcd([...shown, ...asked]);
    t.after(() => etcd.dispose());
    const servers = [etcd.url];
    const mine = { certificate: Buffer.from(admin.cert), key: Buffer.from(admin.key) };
    const store = await openEtcdStore({ servers, tls: { ca: Buffer.from(ca), ...mine } });
    await put(store, "/a", "1");
    await store.close();
    const unreachable = failing("unreachable", /does not answer/);
    await assert.rejects(openEtcdStore({ servers, tls: { ca: Buffer.from(ca) } }), unreachable);
    await assert.rejects(openEtcdStore({ servers, tls: mine }), failing("unreachable", /certificate/));

    // Trusted, but the certificate of another host.
    const other = await makePair("other.example");
    const pair = ["--cert-file", file("other.crt", other.cert), "--key-file", file("other.key", other.key)];
    const elsewhere = await startEtcd(pair);
    t.after(() => elsewhere.dispose());
    await assert.rejects(
      openEtcdStore({ servers: [elsewhere.url], tls: { ca: Buffer.from(other.cert) } }),
      failing("unreachable", /127\.0\.0\.1 is not in the cert's list/),
    );
  });
});
