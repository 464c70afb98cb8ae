import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#api/meta/object.ts";
import { createFakeClient } from "#client/fake.ts";
import { nameToText } from "#wire/dns/name.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import { nameOfData } from "#wire/dns/record.ts";
import { startDns } from "../../../src/dns/start.ts";
import { queryFor, read, sendTcp, sendUdp } from "../../fakes/dns-client.ts";
import { namespace, service, zone } from "./fixture.ts";

const ports = [{ name: "http", port: 80, protocol: "TCP" }];
const sixSlice = {
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "db-6", namespace: "dev", labels: { "kubernetes.io/service-name": "db" } },
  addressType: "IPv6",
  ports: [{ name: "sql", port: 5432, protocol: "TCP" }],
  endpoints: [{ addresses: ["fd00:10:244:1::9"] }, { addresses: ["fd00:10:244:1::"], hostname: "db-0" }],
} as KubeObject;
const objects = [
  namespace("dev"),
  service("both", { clusterIPs: ["10.96.0.20", "fd00:10:96::20"], clusterIP: "10.96.0.20", ports }),
  service("six", { clusterIPs: ["fd00:10:96::21"], clusterIP: "fd00:10:96::21", ports }),
  service("db", { clusterIP: "None" }),
  sixSlice,
];

/** The name of an address below `ip6.arpa`. */
function reverse(address: string): string {
  const [head = "", tail = ""] = address.split("::").map((part) =>
    part
      .split(":")
      .filter((group) => group !== "")
      .map((group) => group.padStart(4, "0"))
      .join(""),
  );
  const nibbles = head + tail.padStart(32 - head.length, "0");
  return `${nibbles.split("").reverse().join(".")}.ip6.arpa`;
}

async function started(t: { skip(reason: string): void }, settings = {}) {
  const dns = await startDns({
    client: createFakeClient(objects),
    listen: [],
    clusterDomain: zone,
    inWorker: false,
    settings,
  });
  const at = await dns.addListener("::1", 0).catch(() => undefined);
  if (at === undefined) {
    t.skip("this machine has no IPv6");
    await dns.stop();
    return undefined;
  }
  await dns.waitFor(String(objects.length));
  const ask = async (name: string, type: string) => read(await sendUdp(at, queryFor(name, type)));
  return { dns, at, ask };
}

test("Services and endpoints of IPv6 are answered over IPv6, as addresses, ports and reverse names", async (t) => {
  const server = await started(t);
  if (server === undefined) return;
  const { dns, at, ask } = server;
  const hex = async (name: string, type = "AAAA") =>
    (await ask(name, type)).answers.map(({ data }) => Buffer.from(data).toString("hex"));
  assert.deepEqual(await hex(`both.dev.svc.${zone}`), ["fd000010009600000000000000000020"]);
  assert.deepEqual(await hex(`both.dev.svc.${zone}`, "A"), ["0a600014"]);
  assert.deepEqual(await hex(`six.dev.svc.${zone}`), ["fd000010009600000000000000000021"]);
  const other = await ask(`six.dev.svc.${zone}`, "A");
  assert.deepEqual([other.rcode, other.answers.length], [rcodes.NOERROR, 0]);
  assert.equal((await hex(`db.dev.svc.${zone}`)).length, 2);
  assert.equal((await hex(`fd00-10-244-1--9.db.dev.svc.${zone}`)).length, 1);
  assert.equal((await hex(`db-0.db.dev.svc.${zone}`)).length, 1);
  const srv = await ask(`_http._tcp.both.dev.svc.${zone}`, "SRV");
  assert.deepEqual(
    srv.additionals.map(({ data }) => data.length),
    [4, 16],
  );
  for (const [address, name] of [
    ["fd00:10:96::20", "both"],
    ["fd00:10:244:1::9", "fd00-10-244-1--9.db"],
    ["fd00:10:244:1::", "db-0.db"],
  ] as const) {
    const { answers } = await ask(reverse(address), "PTR");
    const names = answers.map(({ data }) => nameToText(nameOfData(data) ?? ""));
    assert.deepEqual(names, [`${name}.dev.svc.${zone}`], address);
  }
  assert.equal((await ask(reverse("fd00:10:96::99"), "PTR")).rcode, rcodes.NXDOMAIN);
  assert.equal((await ask(`fd00--7.dev.pod.${zone}`, "AAAA")).answers.length, 1);
  const [byTcp] = await sendTcp(at, [queryFor(`six.dev.svc.${zone}`, "AAAA")]);
  assert.equal(read(byTcp).answers.length, 1);
  assert.ok(((await dns.counters()).requests["udp 2 AAAA"] ?? 0) > 3);
  await dns.stop();
});

test("the limit of questions counts for IPv6 clients too", async (t) => {
  const server = await started(t, { limits: { perClientRate: 3 } });
  if (server === undefined) return;
  const { dns, at } = server;
  const query = queryFor(`six.dev.svc.${zone}`, "AAAA");
  const answers = await Promise.all(Array.from({ length: 12 }, () => sendUdp(at, query, 300)));
  const answered = answers.filter((answer) => answer !== undefined).length;
  // The second may end between two of them.
  assert.ok(answered >= 3 && answered <= 6, `${answered} answers`);
  assert.equal((await dns.counters()).dropped["rate"], 12 - answered);
  await dns.stop();
});
