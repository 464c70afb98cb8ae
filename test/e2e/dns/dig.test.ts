import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createFakeClient } from "#client/fake.ts";
import type { RunningDns } from "../../../src/dns/contract.ts";
import { startDns } from "../../../src/dns/start.ts";
import { startFakeUpstream, type FakeUpstream } from "../../fakes/dns-upstream.ts";
import { namespace, service, slice, zone } from "../../features/dns/fixture.ts";

const hasDig = spawnSync("dig", ["-v"]).error === undefined;
const isRoot = process.getuid?.() === 0;
const skip = !hasDig ? "dig is not installed" : !isRoot ? "needs root, for an address and port 53 of its own" : false;
const address = "10.96.0.10";
const run = promisify(execFile);

let dns: RunningDns;
let upstream: FakeUpstream;

before(async () => {
  if (skip !== false) return;
  await run("ip", ["address", "add", `${address}/32`, "dev", "lo"]);
  upstream = await startFakeUpstream((name, type) =>
    name === "example.test" && type === "A"
      ? { answers: ["example.test. 300 A 192.0.2.1", "example.test. 300 A 192.0.2.2"] }
      : { rcode: 3, authorities: ["test. 900 SOA ns.test. admin.test. 1 1 1 1 60"] },
  );
  const objects = [
    namespace("dev"),
    service("web", { clusterIP: "10.96.0.20", ports: [{ name: "http", port: 80 }] }),
    service("many", { clusterIP: "None", ports: [{ name: "http", port: 80 }] }),
    slice(
      "many",
      Array.from({ length: 100 }, (_, index) => `10.244.1.${index + 1}`),
    ),
    service("service-externalname", { type: "ExternalName", externalName: "example.test" }),
  ];
  dns = await startDns({
    client: createFakeClient(objects),
    listen: [],
    clusterDomain: zone,
    upstreams: [upstream],
    serviceAddresses: [address],
  });
  await dns.addListener(address, 53);
  await dns.waitFor(String(objects.length));
});

after(async () => {
  if (skip !== false) return;
  await dns.stop();
  await upstream.stop();
  await run("ip", ["address", "delete", `${address}/32`, "dev", "lo"]);
});

const dig = async (...args: string[]) => (await run("dig", [`@${address}`, "+tries=1", "+time=3", ...args])).stdout;
const answers = async (...args: string[]) =>
  (await dig("+noall", "+answer", ...args)).split("\n").flatMap((line) => (line ? [line.replaceAll(/\s+/g, " ")] : []));

test("dig resolves a Service by its cluster address", { skip }, async () => {
  const whole = await dig(`web.dev.svc.${zone}`);
  assert.match(whole, /status: NOERROR/);
  assert.match(whole, /flags: qr aa rd ra;/);
  assert.doesNotMatch(whole, /malformed|mismatch|not available/i);
  assert.match(whole, /web\.dev\.svc\.cluster\.local\. 30\s+IN\s+A\s+10\.96\.0\.20/);
});

test("dig shows an ExternalName as a CNAME of 30 s and the addresses behind it", { skip }, async () => {
  const [first, ...rest] = await answers(`service-externalname.dev.svc.${zone}`);
  assert.equal(first, `service-externalname.dev.svc.${zone}. 30 IN CNAME example.test.`);
  assert.deepEqual(rest.sort(), ["example.test. 30 IN A 192.0.2.1", "example.test. 30 IN A 192.0.2.2"]);
});

test("dig falls back to TCP when the answer does not fit, and takes it whole with +tcp", { skip }, async () => {
  const name = `_http._tcp.many.dev.svc.${zone}`;
  assert.match(await dig(name, "SRV", "+ignore", "+noedns"), /flags: qr aa tc rd/);
  assert.equal((await answers(name, "SRV")).length, 100);
  const whole = await dig(name, "SRV", "+tcp");
  assert.match(whole, /ANSWER: 100, AUTHORITY: 0, ADDITIONAL: 101/);
  assert.equal(/malformed|mismatch/i.test(whole), false);
});

test("dig reads EDNS, reverse names, the zone's SOA and NODATA", { skip }, async () => {
  assert.match(await dig(`web.dev.svc.${zone}`, "+dnssec"), /EDNS: version: 0, flags: do; udp: 1232/);
  assert.match(await dig(`web.dev.svc.${zone}`, "+edns=1", "+noednsnegotiation"), /status: BADVERS/);
  assert.deepEqual(await answers("-x", "10.96.0.20"), [`20.0.96.10.in-addr.arpa. 30 IN PTR web.dev.svc.${zone}.`]);
  const [soa] = await answers(zone, "SOA");
  assert.match(soa ?? "", /30 IN SOA ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. \d+ 7200 1800 86400 5$/);
  const absent = await dig(`web.dev.svc.${zone}`, "AAAA");
  assert.match(absent, /status: NOERROR/);
  assert.match(absent, /ANSWER: 0, AUTHORITY: 1/);
  assert.match(await dig(`nope.dev.svc.${zone}`), /status: NXDOMAIN/);
  assert.match(await dig("nope.test"), /status: NXDOMAIN/);
});

test("dig gets many answers over one connection", { skip }, async () => {
  const names = Array.from({ length: 20 }, (_, index) => `10-244-1-${index + 1}.many.dev.svc.${zone}`);
  const found = await answers("+tcp", "+keepopen", ...names);
  assert.equal(found.length, 20);
});
