import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#api/meta/object.ts";
import { createFakeClient } from "#client/fake.ts";
import { nameToText } from "#wire/dns/name.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import { nameOfData } from "#wire/dns/record.ts";
import { settingsProblems } from "../../../src/dns/check.ts";
import type { DnsSettings } from "../../../src/dns/settings.ts";
import { startDns } from "../../../src/dns/start.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream, type FakeUpstream } from "../../fakes/dns-upstream.ts";
import { anyPort, namespace, service, slice, startHere, zone } from "./fixture.ts";

const web = service("web", { clusterIP: "10.96.0.20", ports: [{ name: "http", port: 80, protocol: "TCP" }] });
const objects = [namespace("dev"), web];

function pod(name: string, ip: string, phase = "Running"): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "dev" },
    spec: { containers: [] },
    status: { phase, podIP: ip, podIPs: [{ ip }] },
  } as KubeObject;
}

/** Settings are plain data. */
function addressOf({ address, port }: FakeUpstream): { address: string; port: number } {
  return { address, port };
}

async function started(all: readonly KubeObject[], settings: DnsSettings = {}) {
  const { dns, at } = await startHere(all, { settings });
  const ask = async (name: string, type = "A") => read(await sendUdp(at, queryFor(name, type)));
  return { dns, ask };
}

test("further zones hold the same names, in answers about services too", async () => {
  const { dns, ask } = await started(objects, { zones: ["other.test"] });
  for (const root of [zone, "other.test"]) {
    assert.equal((await ask(`web.dev.svc.${root}`)).answers.length, 1);
    const srv = await ask(`_http._tcp.web.dev.svc.${root}`, "SRV");
    const { data } = srv.answers[0] ?? assert.fail("no SRV");
    assert.equal(nameToText(nameOfData(data.subarray(6)) ?? ""), `web.dev.svc.${root}`);
    assert.equal(srv.additionals.length, 1);
    const missing = await ask(`nope.dev.svc.${root}`);
    assert.equal(missing.rcode, rcodes.NXDOMAIN);
    assert.equal(nameToText(missing.authorities[0]?.name ?? ""), root);
    assert.equal((await ask(root, "SOA")).answers.length, 1);
    assert.equal((await ask(`10-1-2-3.dev.pod.${root}`)).answers.length, 1);
  }
  assert.equal((await ask("web.dev.svc.another.test")).rcode, rcodes.REFUSED);
  await dns.configure({});
  assert.equal((await ask("web.dev.svc.other.test")).rcode, rcodes.REFUSED);
  await dns.stop();
});

test("times to keep answers, and that a name is missing, are as set, also when set later", async () => {
  const { dns, ask } = await started(objects, { ttlSeconds: 7, negativeTtlSeconds: 3 });
  const ttls = async () => [
    (await ask(`web.dev.svc.${zone}`)).answers[0]?.ttl,
    (await ask(`nope.dev.svc.${zone}`)).authorities[0]?.ttl,
  ];
  assert.deepEqual(await ttls(), [7, 3]);
  await dns.configure({ ttlSeconds: 0 });
  assert.deepEqual(await ttls(), [0, 0]);
  await dns.configure({});
  assert.deepEqual(await ttls(), [30, 5]);
  await dns.stop();
});

test("names of pods are answered by spelling, by the pods there are, or not at all", async () => {
  const client = createFakeClient([...objects, pod("a", "10.244.0.7"), pod("done", "10.244.0.8", "Succeeded")]);
  const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, inWorker: false });
  const at = dns.addresses[0] ?? assert.fail("no listener");
  await dns.waitFor("2");
  const rcodesOf = () =>
    Promise.all(
      ["10-244-0-7.dev", "10-244-0-8.dev", "10-9-9-9.dev", "10-244-0-7.nope", "dev"].map(async (name) => {
        const { rcode, answers } = read(await sendUdp(at, queryFor(`${name}.pod.${zone}`, "A")));
        return rcode === rcodes.NOERROR ? answers.length : "missing";
      }),
    );
  assert.deepEqual(await rcodesOf(), [1, 1, 1, "missing", 0]);
  await dns.configure({ pods: "verified" });
  assert.deepEqual(await rcodesOf(), [1, "missing", "missing", "missing", 0]);
  const late = await client.create("Pod", pod("b", "10.9.9.9") as never);
  await dns.waitFor(late.metadata.resourceVersion ?? "");
  assert.deepEqual(await rcodesOf(), [1, "missing", 1, "missing", 0]);
  await client.delete("Pod", { namespace: "dev", name: "a" });
  await dns.waitFor("6");
  assert.deepEqual(await rcodesOf(), ["missing", "missing", 1, "missing", 0]);
  await dns.configure({ pods: "disabled" });
  assert.deepEqual(await rcodesOf(), ["missing", "missing", "missing", "missing", "missing"]);
  await dns.configure({ pods: "insecure" });
  assert.deepEqual(await rcodesOf(), [1, 1, 1, "missing", 0]);
  await dns.stop();
});

test("endpoints are called by their pods, empty Services are missing, and namespaces are hidden, as set", async () => {
  const endpoints = {
    ...slice("db", ["10.244.0.9"]),
    endpoints: [{ addresses: ["10.244.0.9"], targetRef: { kind: "Pod", name: "db-0", namespace: "dev" } }],
  };
  const { dns, ask } = await started([...objects, service("db", { clusterIP: "None" }), endpoints]);
  const found = async (name: string) => (await ask(`${name}.dev.svc.${zone}`)).rcode === rcodes.NOERROR;
  assert.deepEqual([await found("10-244-0-9.db"), await found("db-0.db"), await found("web")], [true, false, true]);
  await dns.configure({ endpointPodNames: true, ignoreEmptyService: true });
  assert.deepEqual([await found("10-244-0-9.db"), await found("db-0.db"), await found("web")], [false, true, false]);
  const pointer = await ask("9.0.244.10.in-addr.arpa", "PTR");
  assert.equal(nameToText(nameOfData(pointer.answers[0]?.data ?? new Uint8Array()) ?? ""), `db-0.db.dev.svc.${zone}`);
  await dns.configure({ namespaces: ["prod"] });
  assert.deepEqual([await found("10-244-0-9.db"), await found("web")], [false, false]);
  assert.equal((await ask(`dev.svc.${zone}`)).rcode, rcodes.NXDOMAIN);
  await dns.configure({ namespaces: ["dev"] });
  assert.deepEqual([await found("10-244-0-9.db"), await found("web")], [true, true]);
  await dns.stop();
});

test("a question that is being asked upstream gets its answer while the settings change", async () => {
  const gate = Promise.withResolvers<void>();
  const slow = await startFakeUpstream(() => ({ answers: ["www.test. 60 A 192.0.2.1"], after: gate.promise }));
  const other = await startFakeUpstream(() => ({ answers: ["www.test. 60 A 192.0.2.2"] }));
  const { dns, at } = await startHere(objects, {
    settings: { forward: [{ zone: ".", upstreams: [addressOf(slow)], attemptTimeoutMs: 4_000 }] },
  });
  const waiting = sendUdp(at, queryFor("www.test", "A"));
  while (slow.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await dns.configure({ forward: [{ zone: ".", upstreams: [addressOf(other)] }] });
  const fresh = read(await sendUdp(at, queryFor("new.www.test", "A")));
  assert.equal(fresh.rcode, rcodes.NOERROR);
  gate.resolve();
  assert.deepEqual([...(read(await waiting).answers[0]?.data ?? [])], [192, 0, 2, 1]);
  await dns.stop();
  await Promise.all([slow.stop(), other.stop()]);
});

test("wrong settings are refused as a whole, with every mistake, and change nothing", async () => {
  const { dns, ask } = await started(objects, { ttlSeconds: 7 });
  const wrong: DnsSettings = {
    ttlSeconds: 5_000,
    zones: ["not a..zone"],
    workers: 0,
    forward: [{ zone: ".", upstreams: [{ address: "dns.example.com" }] }],
    rewrite: [{ match: "regex", from: "(a+)+$", to: "b" }],
  };
  assert.deepEqual(
    settingsProblems(wrong).map((problem) => problem.split(":")[0]),
    ["zones[0]", "ttlSeconds", "workers", "forward[0].upstreams[0]", "rewrite[0]"],
  );
  await assert.rejects(dns.configure(wrong), /settings of cluster DNS cannot be used: zones\[0\]/);
  assert.equal((await ask(`web.dev.svc.${zone}`)).answers[0]?.ttl, 7);
  assert.deepEqual(dns.settings(), { ttlSeconds: 7 });
  await dns.stop();
});
