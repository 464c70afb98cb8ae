import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFields, Log } from "#base/log.ts";
import { silentLog } from "#base/log.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { openStreamLog } from "#roles/log.ts";
import { createFakeClient } from "#client/fake.ts";
import { startDns } from "../../../src/dns/start.ts";
import { createClientRate, clientRateMemory } from "../../../src/dns/client-rate.ts";
import { createQueryLog } from "../../../src/dns/query-log.ts";
import { queryFor, sendUdp } from "../../fakes/dns-client.ts";
import { anyPort, namespace, service, zone } from "./fixture.ts";

function pod(name: string, ip: string, more: object = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "dev" },
    spec: { containers: [], ...more },
    status: { phase: "Running", podIP: ip, podIPs: [{ ip }] },
  } as KubeObject;
}

for (const inWorker of [false, true]) {
  test(`questions are logged with the asking pod, as far as is set (${inWorker ? "in a worker" : "here"})`, async () => {
    const lines: LogFields[] = [];
    const info: Log["info"] = (fields, message) => void (message === "DNS question" && lines.push(fields));
    const log: Log = { ...silentLog, info, child: () => log };
    const client = createFakeClient([
      namespace("dev"),
      service("web", { clusterIP: "10.96.0.20" }),
      pod("host", "127.0.0.1", { hostNetwork: true }),
      pod("asker", "127.0.0.1"),
    ]);
    const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, log, inWorker });
    const at = dns.addresses[0] ?? assert.fail("no listener");
    await dns.waitFor("2");
    const ask = async (name: string) => {
      await sendUdp(at, queryFor(name, "A"));
      // The worker's lines come before what it says next.
      await dns.counters();
    };
    await ask(`web.dev.svc.${zone}`);
    assert.equal(lines.length, 0);
    await dns.configure({ queryLog: "all" });
    await ask(`web.dev.svc.${zone}`);
    const { ms, ...line } = lines[0] ?? {};
    assert.equal(typeof ms, "number");
    assert.deepEqual(line, {
      client: "127.0.0.1",
      pod: "dev/asker",
      transport: "udp",
      name: `web.dev.svc.${zone}`,
      type: "A",
      rcode: "NOERROR",
    });
    await dns.configure({ queryLog: "errors" });
    await ask(`nope.dev.svc.${zone}`);
    assert.equal(lines.length, 1);
    await client.delete("Pod", { namespace: "dev", name: "asker" });
    await ask("www.test");
    assert.deepEqual([lines.length, lines[1]?.["rcode"]], [2, "REFUSED"]);
    await dns.stop();
  });
}

test("the program's own kind of log keeps all its lines", async () => {
  const lines: string[] = [];
  const log = openStreamLog({ write: (line) => lines.push(line) }, "test");
  const dns = await startDns({ client: createFakeClient([]), listen: anyPort, clusterDomain: zone, log });
  dns.setUpstreams({ upstreams: dns.addresses });
  await dns.counters();
  await dns.stop();
  assert.equal(lines.filter((line) => line.includes("cluster DNS answers")).length, 1);
  assert.equal(lines.filter((line) => line.includes("left out")).length, 1);
});

test("names are written so that they cannot forge a line, and too many lines are only counted", () => {
  const lines: LogFields[] = [];
  const left: LogFields[] = [];
  const log: Log = {
    ...silentLog,
    info: (fields) => void lines.push(fields),
    warn: (fields) => void left.push(fields),
  };
  let now = 0;
  const queryLog = createQueryLog(
    log,
    () => "all",
    () => now,
  );
  const query = { client: "192.0.2.1", transport: "udp", type: 1, rcode: 0, took: 1 } as const;
  for (let index = 0; index < 5_000; index++) queryLog.write({ ...query, name: "\x03a\nb" });
  assert.equal(lines.length, 1_000);
  assert.equal(lines[0]?.["name"], "a\\010b");
  now = 1_000;
  queryLog.write({ ...query, name: "\x01a" });
  assert.deepEqual(left, [{ left: 4_000 }]);
});

test("each client has its share of a second, over all workers, in memory that does not grow", () => {
  const memory = clientRateMemory();
  let now = 7_000;
  const workers = [1, 2].map(() =>
    createClientRate(
      memory,
      () => 5,
      () => now,
    ),
  );
  const spend = (address: string) => workers.reduce((sum, worker) => sum + Number(worker.spend(address)), 0);
  const first = Array.from({ length: 10 }, () => spend("10.244.0.1")).reduce((a, b) => a + b);
  assert.equal(first, 5);
  now = 8_000;
  assert.equal(spend("10.244.0.1"), 2);
  let answered = 0;
  for (let index = 0; index < 1_000; index++)
    answered += Number(workers[0]?.spend(`10.245.${index >> 8}.${index & 255}`));
  assert.equal(answered, 1_000);
  assert.ok(memory.byteLength < 100_000);
  const unlimited = createClientRate(
    memory,
    () => 0,
    () => now,
  );
  for (let index = 0; index < 100; index++) assert.ok(unlimited.spend("10.244.0.1"));
});
