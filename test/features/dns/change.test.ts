import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClient } from "#client/fake.ts";
import type { Client } from "#client/contract.ts";
import type { Service } from "#api/core/service/kind.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import { startDns } from "../../../src/dns/start.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { anyPort, namespace, service, slice, zone } from "./fixture.ts";

for (const inWorker of [false, true]) {
  const where = inWorker ? "a worker" : "this thread";

  test(`a change is answered once its revision is applied (in ${where})`, async () => {
    const client = createFakeClient([namespace("dev")]);
    const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, inWorker });
    const at = dns.addresses[0] ?? assert.fail("no listener");
    const ask = async (name: string, type = "A") => read(await sendUdp(at, queryFor(`${name}.dev.svc.${zone}`, type)));
    await dns.waitFor("1");
    assert.equal((await ask("web")).rcode, rcodes.NXDOMAIN);

    const made = await client.create("Service", service("web", { clusterIP: "10.96.0.20" }) as Service);
    await dns.waitFor(made.metadata.resourceVersion ?? "");
    assert.deepEqual([...((await ask("web")).answers[0]?.data ?? [])], [10, 96, 0, 20]);

    const headless = await client.patch("Service", { namespace: "dev", name: "web" }, { spec: { clusterIP: "None" } });
    await dns.waitFor(headless.metadata.resourceVersion ?? "");
    assert.equal((await ask("web")).rcode, rcodes.NXDOMAIN);

    const endpoints = await client.create("EndpointSlice", slice("web", ["10.244.0.7"]) as never);
    await dns.waitFor(endpoints.metadata.resourceVersion ?? "");
    const srv = await ask("_http._tcp.web", "SRV");
    assert.deepEqual([...(srv.additionals[0]?.data ?? [])], [10, 244, 0, 7]);

    await client.delete("Namespace", { name: "dev" });
    await dns.waitFor("5");
    assert.equal((await ask("web")).rcode, rcodes.NXDOMAIN);
    await dns.stop();
  });
}

test("before the objects are read the zone answers SERVFAIL, never NXDOMAIN", async () => {
  const known = createFakeClient([namespace("dev"), service("web", { clusterIP: "10.96.0.20" })]);
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const client: Client = {
    ...known,
    list: async (kind, scope) => {
      if (kind === "EndpointSlice") await gate;
      return known.list(kind, scope);
    },
  };
  const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, inWorker: false });
  const at = dns.addresses[0] ?? assert.fail("no listener");
  const ask = async (name: string, type = "A") => read(await sendUdp(at, queryFor(name, type))).rcode;
  assert.equal(dns.isReady(), false);
  assert.equal(await ask(`web.dev.svc.${zone}`), rcodes.SERVFAIL);
  assert.equal(await ask(`nope.dev.svc.${zone}`), rcodes.SERVFAIL);
  assert.equal(await ask("20.0.96.10.in-addr.arpa", "PTR"), rcodes.SERVFAIL);
  assert.equal(await ask(`dns-version.${zone}`, "TXT"), rcodes.NOERROR);
  release();
  await dns.waitFor("2");
  assert.equal(dns.isReady(), true);
  assert.equal(await ask(`web.dev.svc.${zone}`), rcodes.NOERROR);
  await dns.stop();
});

test("waiting for a revision ends with an error when DNS stops", async () => {
  const dns = await startDns({ client: createFakeClient(), listen: [], clusterDomain: zone, inWorker: false });
  const waiting = dns.waitFor("99");
  await Promise.all([assert.rejects(waiting, /stopped/), dns.stop()]);
});

test("an address can be added later, and one that is taken is an error", async () => {
  const client = createFakeClient([namespace("dev")]);
  const dns = await startDns({ client, listen: [], clusterDomain: zone, inWorker: false });
  const at = await dns.addListener("127.0.0.1", 0);
  assert.deepEqual(dns.addresses, [at]);
  await dns.waitFor("1");
  assert.equal(read(await sendUdp(at, queryFor(`dev.svc.${zone}`, "A"))).rcode, rcodes.NOERROR);
  const other = startDns({ client, listen: [at], clusterDomain: zone, inWorker: false });
  await assert.rejects(other, { code: "EADDRINUSE" });
  await dns.stop();
});
