import assert from "node:assert/strict";
import { test } from "node:test";
import { startDns } from "../../../src/dns/start.ts";
import { renderDnsMetrics } from "../../../src/dns/render-metrics.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { createFakeClient } from "#client/fake.ts";
import { queryFor, sendTcp, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream } from "../../fakes/dns-upstream.ts";
import { manualClock } from "../../fakes/clock.ts";
import { anyPort, namespace, service, slice, startHere, zone } from "./fixture.ts";

test("what was asked and answered is counted under CoreDNS's names", async () => {
  const upstream = await startFakeUpstream(() => ({ answers: ["www.test. 60 A 192.0.2.1"] }));
  const { dns, at } = await startHere([namespace("dev"), service("web", { clusterIP: "10.96.0.20" })], {
    upstreams: [upstream],
  });
  await sendUdp(at, queryFor(`web.dev.svc.${zone}`, "A"));
  await sendTcp(at, [queryFor(`web.dev.svc.${zone}`, "AAAA")]);
  await sendUdp(at, queryFor(`nope.dev.svc.${zone}`, "TYPE999"));
  await sendUdp(at, queryFor("www.test", "A"));
  await sendUdp(at, queryFor("www.test", "A"));
  await sendUdp(at, queryFor(`web.dev.svc.${zone}`, "A", { size: 1232, do: true }));
  const text = renderDnsMetrics(await dns.counters());
  const value = (series: string) => {
    const line = text.split("\n").find((line) => line.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  const server = 'server="dns://:53",zone=".",view=""';
  assert.equal(value(`coredns_dns_requests_total{${server},proto="udp",family="1",type="A"}`), 4);
  assert.equal(value(`coredns_dns_requests_total{${server},proto="tcp",family="1",type="AAAA"}`), 1);
  assert.equal(value(`coredns_dns_requests_total{${server},proto="udp",family="1",type="other"}`), 1);
  assert.equal(value(`coredns_dns_responses_total{${server},rcode="NOERROR",plugin=""}`), 5);
  assert.equal(value(`coredns_dns_responses_total{${server},rcode="NXDOMAIN",plugin=""}`), 1);
  assert.equal(value(`coredns_dns_request_duration_seconds_count{${server}}`), 6);
  assert.equal(value('coredns_cache_hits_total{server="dns://:53",zones=".",view="",type="success"}'), 1);
  assert.equal(value(`coredns_forward_requests_total{to="127.0.0.1:${upstream.port}"}`), 1);
  const cache = 'server="dns://:53",zones=".",view=""';
  assert.equal(value(`coredns_cache_requests_total{${cache}}`), 2);
  assert.equal(value(`coredns_cache_entries{${cache},type="success"}`), 1);
  assert.equal(value(`coredns_cache_entries{${cache},type="denial"}`), 0);
  assert.equal(value(`coredns_dns_do_requests_total{${server}}`), 1);
  assert.equal(value(`coredns_dns_request_size_bytes_count{${server},proto="udp"}`), 5);
  assert.equal(value(`coredns_dns_request_size_bytes_bucket{${server},proto="udp",le="0"}`), 0);
  assert.equal(value(`coredns_dns_request_size_bytes_bucket{${server},proto="udp",le="100"}`), 5);
  assert.equal(value(`coredns_dns_response_size_bytes_count{${server},proto="tcp"}`), 1);
  const asked = `proxy_name="forward",to="127.0.0.1:${upstream.port}",rcode="NOERROR"`;
  assert.equal(value(`coredns_proxy_request_duration_seconds_count{${asked}}`), 1);
  assert.equal(value("coredns_panics_total"), 0);
  await dns.stop();
  await upstream.stop();
});

test("how long a pod's change took to be answered is counted by the kind of its Service", async () => {
  const clock = manualClock(Date.parse("2026-01-01T00:00:10Z"));
  const selector = { app: "db" };
  const objects = [
    namespace("dev"),
    service("web", { clusterIP: "10.96.0.20" }),
    service("db", { clusterIP: "None", selector }),
    service("hand", { clusterIP: "None" }),
    changedAt(slice("web", ["10.244.0.1"]), "2026-01-01T00:00:00Z"),
  ];
  const client = createFakeClient(objects);
  const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, inWorker: false, clock });
  await dns.waitFor(String(objects.length));
  for (const name of ["web", "db", "hand"]) {
    const made = changedAt(slice(name, ["10.244.0.9"], `${name}-2`), "2026-01-01T00:00:09.5Z");
    const { metadata } = await client.create("EndpointSlice", made as never);
    await dns.waitFor(metadata.resourceVersion ?? "");
  }
  // No new time, no new change.
  const { metadata } = await client.patch("EndpointSlice", { namespace: "dev", name: "web-2" }, { ports: [] });
  await dns.waitFor(metadata.resourceVersion ?? "");
  // What was there before it became ready is not counted.
  assert.deepEqual(
    Object.entries(dns.programming).map(([kind, { counts, sum }]) => [kind, counts.indexOf(1), sum]),
    [
      ["cluster_ip", 9, 0.5],
      ["headless_with_selector", 9, 0.5],
      ["headless_without_selector", 9, 0.5],
    ],
  );
  await dns.stop();
});

function changedAt(object: KubeObject, time: string): KubeObject {
  const annotations = { "endpoints.kubernetes.io/last-change-trigger-time": time };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
