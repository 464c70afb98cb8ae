import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClient } from "#client/fake.ts";
import { startDns } from "../../../src/dns/start.ts";
import { queryFor, read, sendTcp, sendUdp } from "../../fakes/dns-client.ts";
import { namespace, service, zone } from "./fixture.ts";

test("one server answers at IPv4 and IPv6 addresses, each over UDP and TCP", async (t) => {
  const objects = [namespace("dev"), service("web", { clusterIP: "10.96.0.20" })];
  const dns = await startDns({
    client: createFakeClient(objects),
    listen: [{ address: "127.0.0.1", port: 0 }],
    clusterDomain: zone,
    inWorker: false,
  });
  const six = await dns.addListener("::1", 0).catch((error: NodeJS.ErrnoException) => error);
  await dns.waitFor("2");
  if (six instanceof Error) t.diagnostic(`no IPv6 here: ${six.message}`);
  for (const at of dns.addresses) {
    const query = queryFor(`web.dev.svc.${zone}`, "A");
    assert.equal(read(await sendUdp(at, query)).answers.length, 1);
    assert.equal(read((await sendTcp(at, [query]))[0]).answers.length, 1);
  }
  assert.equal(dns.addresses.length, six instanceof Error ? 1 : 2);
  await dns.stop();
});
