import assert from "node:assert/strict";
import { test } from "node:test";
import { renderDnsMetrics } from "../../../src/dns/render-metrics.ts";
import { queryFor, sendTcp, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream } from "../../fakes/dns-upstream.ts";
import { namespace, service, startHere, zone } from "./fixture.ts";

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
  const text = renderDnsMetrics(await dns.counters());
  const value = (series: string) => {
    const line = text.split("\n").find((line) => line.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  const server = 'server="dns://:53",zone=".",view=""';
  assert.equal(value(`coredns_dns_requests_total{${server},proto="udp",family="1",type="A"}`), 3);
  assert.equal(value(`coredns_dns_requests_total{${server},proto="tcp",family="1",type="AAAA"}`), 1);
  assert.equal(value(`coredns_dns_requests_total{${server},proto="udp",family="1",type="other"}`), 1);
  assert.equal(value(`coredns_dns_responses_total{${server},rcode="NOERROR",plugin=""}`), 4);
  assert.equal(value(`coredns_dns_responses_total{${server},rcode="NXDOMAIN",plugin=""}`), 1);
  assert.equal(value(`coredns_dns_request_duration_seconds_count{${server}}`), 5);
  assert.equal(value('coredns_cache_hits_total{server="dns://:53",zones=".",view="",type="success"}'), 1);
  assert.equal(value(`coredns_forward_requests_total{to="127.0.0.1:${upstream.port}"}`), 1);
  await dns.stop();
  await upstream.stop();
});
