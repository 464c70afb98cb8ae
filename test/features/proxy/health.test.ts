import assert from "node:assert/strict";
import { test } from "node:test";
import { triggerTimeAnnotation } from "#api/discovery/endpointslice/kind.ts";
import { createFakeClient } from "#client/fake.ts";
import { isHealthy, replyHealth } from "#proxy/http/health.ts";
import { startProxy } from "#proxy/loop.ts";
import { createProxyMetrics } from "#proxy/metrics/proxy-metrics.ts";
import { startServiceSource, type ServiceListener, type ServiceSource } from "#proxy/source.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { diffServices } from "#routing/l4/diff.ts";
import { manualClock } from "../../fakes/clock.ts";
import { service, slice } from "./objects.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const node = { name: "node-1", addresses: [], podCidrs: [], serviceCidrs: [] };
const everything = diffServices(undefined, { ...compileTable([service("a")], []), revision: "3" });
const none = { noLocalEndpoints: { internal: 0, external: 0 } };

function scene() {
  const clock = manualClock();
  let listener: ServiceListener = () => {};
  let failing = false;
  const source: ServiceSource = {
    synced: Promise.resolve(),
    table: () => compileTable([], []),
    revision: () => "0",
    subscribe(given) {
      listener = given;
      return () => {};
    },
    stop: () => {},
  };
  const mode = {
    name: "nftables" as const,
    async apply() {
      if (failing) throw new Error("no space");
      return { revision: "3", changes: 1, ms: 5 };
    },
    stop: async () => {},
    cleanup: async () => {},
  };
  const proxy = startProxy({ source, node, mode, clock });
  const health = (nodeEligible = true) => ({
    families: { IPv4: proxy.freshness() },
    nodeEligible,
    timeoutMs: 60_000,
    now: clock.now(),
  });
  return {
    clock,
    proxy,
    health,
    fail: (value: boolean) => (failing = value),
    tell: (...times: number[]) => listener(everything, times),
    pass: async (ms: number) => {
      clock.advance(ms);
      await turn();
    },
  };
}

test("a proxy is healthy until a change has waited for twice the sync period, and again when it is in force", async () => {
  const { proxy, health, fail, tell, pass } = scene();
  assert.ok(isHealthy(health()), "while it starts");
  fail(true);
  tell();
  for (let seconds = 0; seconds < 59; seconds += 1) await pass(1000);
  assert.ok(isHealthy(health()));
  await pass(1000);
  assert.equal(isHealthy(health()), false);
  assert.equal(replyHealth("livez", health()).status, 503);
  fail(false);
  for (let seconds = 0; seconds < 31; seconds += 1) await pass(1000);
  assert.ok(isHealthy(health()));
  assert.equal(replyHealth("healthz", health()).status, 200);
  assert.equal(replyHealth("healthz", health(false)).status, 503);
  assert.equal(replyHealth("livez", health(false)).status, 200);
  await proxy.stop();
});

test("the time from a pod's change to its rules counts once it is in force, and none from before the start", async () => {
  const { proxy, clock, fail, tell, pass } = scene();
  const start = clock.now();
  await pass(1000);
  fail(true);
  tell(start + 900, start - 1001);
  await pass(2);
  fail(false);
  await pass(1898);
  const text = proxy.metrics.render(none);
  assert.match(text, /^kubeproxy_network_programming_duration_seconds_count\{ip_family="IPv4"\} 1$/m);
  assert.match(text, /^kubeproxy_network_programming_duration_seconds_bucket\{ip_family="IPv4",le="1"\} 0$/m);
  assert.match(text, /^kubeproxy_network_programming_duration_seconds_bucket\{ip_family="IPv4",le="2"\} 1$/m);
  await proxy.stop();
});

test("a change in the second of the start counts: its time is told in whole seconds", () => {
  const metrics = createProxyMetrics(5_900);
  metrics.applied({ now: 6_100, ms: 1, isFull: false, triggerTimes: [5_000, 4_000] });
  assert.match(metrics.render(none), /^kubeproxy_network_programming_duration_seconds_count\{ip_family="IPv4"\} 1$/m);
});

test("the time of a change counts too when its slice arrives before its Service", async () => {
  const client = createFakeClient();
  const source = startServiceSource(client, { clock: manualClock() });
  await source.synced;
  const told: number[] = [];
  source.subscribe((_, times) => told.push(...times));
  const annotations = { [triggerTimeAnnotation]: "1970-01-01T00:00:09Z" };
  const early = slice("late", ["10.0.0.1"]);
  await client.create("EndpointSlice", { ...early, metadata: { ...early.metadata, annotations } });
  await turn();
  source.table();
  assert.deepEqual(told, []);
  await client.create("Service", service("late"));
  await turn();
  source.table();
  assert.deepEqual(told, [9_000]);
  source.stop();
});

test("metrics are text of the exposition format: each name once with its type, buckets that only grow", () => {
  const metrics = createProxyMetrics(0);
  metrics.applied({ now: 10, ms: 3, isFull: true, triggerTimes: [] });
  metrics.applied({ now: 20, ms: 3_000_000, isFull: false, triggerTimes: [] });
  const lines = metrics.render(none).trimEnd().split("\n");
  const types = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2] ?? "");
  assert.equal(new Set(types).size, types.length);
  for (const line of lines) {
    if (line.startsWith("#")) continue;
    assert.match(line, /^kubeproxy_[a-z_]+\{[a-z_]+="[^"]*"(,(le|traffic_policy)="[^"]+")?\} -?[0-9.e+-]+$/);
    assert.ok(types.includes(line.split("{")[0]?.replace(/_(bucket|sum|count)$/, "") ?? ""), line);
  }
  const buckets = lines.filter((line) => line.startsWith("kubeproxy_sync_proxy_rules_duration_seconds_bucket"));
  const counts = buckets.map((line) => Number(line.split(" ")[1]));
  assert.deepEqual([counts[0], counts[2], counts.at(-2), counts.at(-1)], [0, 1, 1, 2]);
  assert.deepEqual(
    [...counts].sort((a, b) => a - b),
    counts,
  );
});
