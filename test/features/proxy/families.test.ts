import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log.ts";
import { triggerTimeAnnotation } from "#api/discovery/endpointslice/kind.ts";
import { createFakeClient } from "#client/fake.ts";
import type { ModeDefinition } from "#proxy/definition.ts";
import { familiesOf, nodeOfFamily } from "#proxy/families.ts";
import { replyHealth } from "#proxy/http/health.ts";
import { createProxyMetrics, renderFamilies } from "#proxy/metrics/proxy-metrics.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { startNodeFamilies } from "#proxy/node-families.ts";
import { startServiceSource } from "#proxy/source.ts";
import { manualClock } from "../../fakes/clock.ts";
import { service, slice } from "./objects.ts";

const node: ProxyNode = { name: "node-1", addresses: [], podCidrs: [], serviceCidrs: [] };
const dual: ProxyNode = {
  ...node,
  addresses: ["fd00::11", "172.30.0.11"],
  podCidrs: ["10.244.0.0/16", "fd00:10:244::/48"],
  serviceCidrs: ["10.96.0.0/12", "fd00:10:96::/112"],
};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const both = service("both", { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9", "fd00:10:96::9"] });

test("a node is served in the families of its addresses and ranges, each with its own part of them", () => {
  assert.deepEqual(familiesOf(node), [4]);
  assert.deepEqual(familiesOf({ ...node, serviceCidrs: ["fd00::/112"] }), [6]);
  assert.deepEqual(familiesOf(dual), [6, 4]);
  assert.deepEqual(nodeOfFamily(dual, 6), {
    name: "node-1",
    family: 6,
    addresses: ["fd00::11"],
    podCidrs: ["fd00:10:244::/48"],
    serviceCidrs: ["fd00:10:96::/112"],
  });
});

test("each family is told what is its own, times of changes too, and a family nobody asks for is not compiled", async () => {
  const client = createFakeClient([both]);
  const source = startServiceSource(client, { clock: manualClock() });
  const told: string[] = [];
  const listen = (family: 4 | 6) =>
    source.subscribe(({ added, changed }, times) => {
      const entries = [...added, ...changed.map(({ after }) => after)];
      const text = entries.map(
        ({ clusterIP, endpoints }) => `${clusterIP} ${endpoints.map((one) => one.address).join()}`,
      );
      if (text.length > 0) told.push(`${text.join()} ${times.join()}`);
    }, family);
  listen(4);
  await source.synced;
  assert.deepEqual(told.splice(0), ["10.96.0.9  "]);
  listen(6);
  assert.deepEqual(told.splice(0), ["fd00:10:96::9  "], "asked for late, all is told at once");
  const written = slice("both", ["FD00:0::5"], { addressType: "IPv6" });
  const annotations = { [triggerTimeAnnotation]: "1970-01-01T00:00:09Z" };
  await client.create("EndpointSlice", { ...written, metadata: { ...written.metadata, annotations } });
  await turn();
  source.table(6);
  assert.deepEqual(told.splice(0), ["fd00:10:96::9 fd00::5 9000"]);
  source.stop();
});

test("a revision is in force when it is in both families; a family that comes is served, one that goes is cleaned up", async () => {
  const clock = manualClock();
  const log: string[] = [];
  const stuck = new Set<number>([6]);
  const definition: ModeDefinition = {
    name: "nftables",
    probe: async () => ({ works: true }),
    cleanup: async () => {},
    start: ({ family = 4 }) => ({
      name: "nftables",
      async apply({ revision, added }) {
        if (stuck.has(family)) throw new Error("not now");
        log.push(`IPv${family} applies ${added.map(({ clusterIP }) => clusterIP).join()}`);
        return { revision, changes: 1, ms: 1 };
      },
      stop: async () => {},
      cleanup: async () => void log.push(`IPv${family} cleans up`),
    }),
  };
  const source = startServiceSource(createFakeClient([both]), { clock });
  await source.synced;
  const work = (...families: (4 | 6)[]) => ({
    definition,
    nodes: families.map((family) => nodeOfFamily(dual, family)),
    minSyncMs: 1,
    checkMs: 10_000,
  });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(50);
      await turn();
    }
  };
  const proxies = startNodeFamilies(work(4, 6), { source, log: silentLog, clock, tampered: () => {} });
  let isInForce = false;
  const waiting = proxies.waitFor("0").then(() => (isInForce = true));
  await pass(200);
  assert.deepEqual(log.splice(0), ["IPv4 applies 10.96.0.9"]);
  assert.equal(isInForce, false);
  assert.equal(proxies.applied(), "0");
  assert.match(proxies.problems()[0]?.message ?? "", /not now/);
  stuck.clear();
  await pass(1000);
  await waiting;
  assert.deepEqual(log.splice(0), ["IPv6 applies fd00:10:96::9"]);
  await proxies.change(work(4));
  assert.deepEqual(log.splice(0), ["IPv6 cleans up"]);
  assert.deepEqual([...proxies.families.keys()], [4]);
  await proxies.change(work(4, 6));
  await pass(200);
  assert.deepEqual(log, ["IPv6 applies fd00:10:96::9"]);
  await proxies.stop();
  source.stop();
});

test("metrics of two families are one text, each name once; health tells of both, and one that waits makes it unhealthy", () => {
  const [four, six] = [createProxyMetrics(0), createProxyMetrics(0, 6)];
  six.applied({ now: 10, ms: 3, isFull: true, triggerTimes: [] });
  const none = { noLocalEndpoints: { internal: 0, external: 0 } };
  const text = renderFamilies([four.sections(none), six.sections(none)]);
  const types = text.split("\n").filter((line) => line.startsWith("# TYPE"));
  assert.equal(new Set(types).size, types.length);
  assert.match(text, /^kubeproxy_sync_proxy_rules_duration_seconds_count\{ip_family="IPv4"\} 0$/m);
  assert.match(text, /^kubeproxy_sync_proxy_rules_duration_seconds_count\{ip_family="IPv6"\} 1$/m);
  assert.match(text, /no_local_endpoints_total\{ip_family="IPv6",traffic_policy="external"\} 0/);

  const families = { IPv4: { appliedAt: 5000 }, IPv6: { appliedAt: 1000, waitingSince: 2000 } };
  const reply = replyHealth("livez", { families, nodeEligible: true, timeoutMs: 60_000, now: 70_000 });
  assert.equal(reply.status, 503);
  const { lastUpdated, status } = JSON.parse(reply.body) as { lastUpdated: string; status: Record<string, unknown> };
  assert.equal(lastUpdated, "1970-01-01T00:00:01.000Z");
  assert.deepEqual(status, {
    IPv4: { lastUpdated: "1970-01-01T00:00:05.000Z", healthy: true },
    IPv6: { lastUpdated: "1970-01-01T00:00:01.000Z", healthy: false },
  });
});
