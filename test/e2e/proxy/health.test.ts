import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { createFakeClient } from "#client/fake.ts";
import { settingsOf } from "#proxy/config/settings.ts";
import { startNodeProxies, type RunningProxies } from "#proxy/sync.ts";
import { hasIPv6, netnsOf, plans, startGround, type Ground } from "./ground.ts";
import { serviceOf, sliceOf, type PodName } from "./objects.ts";

const isReady = process.getuid?.() === 0 && spawnSync("nft", ["--version"]).status === 0;
const run = promisify(execFile);
const port = 31_500;

/** One Service with a health check node port, on two nodes, as a load balancer and a scraper ask about it. */
describe("health of a node's proxy", { skip: isReady ? false : "needs root and nft" }, () => {
  const client = createFakeClient([
    { apiVersion: "v1", kind: "Node", metadata: { name: "node-1" } },
    { apiVersion: "v1", kind: "Node", metadata: { name: "node-2" } },
  ]);
  let ground: Ground;
  let proxies: RunningProxies;
  before(async () => {
    ground = await startGround();
    proxies = await startNodeProxies({ client, nodes: ground.nodes, settings: settingsOf({}, "nftables") });
    await proxies.listening();
  });
  after(async () => {
    await proxies?.cleanup();
    await ground?.stop();
  });

  async function serve(pods: PodName[], healthCheckNodePort = port): Promise<void> {
    const wanted = {
      name: "lb",
      clusterIP: "10.96.0.40",
      pods,
      spec: { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort } as const,
    };
    const service = serviceOf(wanted);
    const isNew = (await client.get("Service", service.metadata)) === undefined;
    await (isNew ? client.create("Service", service) : client.update("Service", service));
    const slice = sliceOf(wanted);
    const last = await (isNew ? client.create("EndpointSlice", slice) : client.update("EndpointSlice", slice));
    await proxies.waitFor(last.metadata.resourceVersion ?? "");
    await proxies.listening();
  }

  /** Status, headers and body, as curl shows them; asked from the node itself or from outside. */
  async function ask(url: string, from?: string): Promise<{ status: number; head: string; body: string }> {
    const inside = from === undefined ? [] : ["nsenter", `--net=${netnsOf(from)}`];
    const [program = "", ...args]: string[] = [...inside, "curl", "-gsi", "--max-time", "5", url];
    const { stdout } = await run(program, args).catch(() => ({ stdout: "" }));
    const [head = "", body = ""]: string[] = stdout.split("\r\n\r\n");
    return { status: Number(head.split(" ")[1] ?? 0), head, body };
  }

  test("the health check node port says how many endpoints a node has of its own, and 503 for none", async () => {
    await serve(["pod-a", "pod-b"]);
    const first = await ask(`http://172.30.0.11:${port}/any/path`);
    const second = await ask(`http://172.30.0.12:${port}/`);
    assert.equal(first.status, 200);
    assert.deepEqual(JSON.parse(first.body), {
      service: { namespace: "default", name: "lb" },
      localEndpoints: 2,
      serviceProxyHealthy: true,
    });
    assert.match(first.head, /^Content-Type: application\/json$/im);
    assert.match(first.head, /^X-Content-Type-Options: nosniff$/im);
    assert.match(first.head, /^X-Load-Balancing-Endpoint-Weight: 2$/im);
    assert.equal(second.status, 503);
    assert.match(second.body, /"localEndpoints": 0/);
    await serve(["pod-c"]);
    assert.equal((await ask(`http://172.30.0.11:${port}/`)).status, 503);
    assert.equal((await ask(`http://172.30.0.12:${port}/`)).status, 200);
  });

  const withoutIPv6 = hasIPv6 ? false : "this kernel has no IPv6";
  test("each family is asked at its own addresses, and counts its own endpoints", { skip: withoutIPv6 }, async () => {
    const own = { name: "both", clusterIP: plans[4].clusterIP(41), secondIP: plans[6].clusterIP(41), pods: [] };
    const spec = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: port + 2 } as const;
    await client.create("Service", serviceOf({ ...own, spec }));
    await client.create("EndpointSlice", sliceOf({ ...own, pods: ["pod-a", "pod-b"] }));
    const last = await client.create("EndpointSlice", sliceOf({ ...own, clusterIP: own.secondIP, pods: ["pod-a"] }));
    await proxies.waitFor(last.metadata.resourceVersion ?? "");
    await proxies.listening();
    assert.match((await ask(`http://172.30.0.11:${port + 2}/`)).body, /"localEndpoints": 2/);
    assert.match((await ask(`http://[${plans[6].nodes["node-1"]}]:${port + 2}/`)).body, /"localEndpoints": 1/);
    assert.equal((await ask(`http://[${plans[6].nodes["node-2"]}]:${port + 2}/`)).status, 503);
    const { status } = JSON.parse((await ask("http://172.30.0.11:10256/healthz")).body) as { status: object };
    assert.deepEqual(Object.keys(status), ["IPv4", "IPv6"]);
    await client.delete("Service", { namespace: "default", name: "both" });
  });

  test("a port that changes or goes is closed, and one that is taken is told as an event", async () => {
    await serve(["pod-a"], port + 1);
    assert.equal((await ask(`http://172.30.0.11:${port}/`)).status, 0);
    assert.equal((await ask(`http://172.30.0.11:${port + 1}/`)).status, 200);
    await serve(["pod-a"], 10_256);
    const events = async () => (await client.list("Event")).items.map(({ reason, message }) => `${reason} ${message}`);
    for (let tries = 0; tries < 100 && (await events()).length < 2; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.match(
      (await events()).join("\n"),
      /FailedToStartServiceHealthcheck node node-1 failed to start healthcheck "default\/lb" on port 10256: .*EADDRINUSE/,
    );
    await serve(["pod-a"], 0);
    assert.equal((await ask(`http://172.30.0.11:${port + 1}/`)).status, 0);
  });

  test("healthz asks about the node as well, livez about the proxy alone", async () => {
    const healthz = "http://172.30.0.11:10256/healthz";
    assert.equal((await ask(healthz)).status, 200);
    const { nodeEligible, healthy, lastUpdated, currentTime } = JSON.parse((await ask(healthz)).body);
    assert.deepEqual([nodeEligible, healthy, lastUpdated], [true, true, currentTime]);
    const taint = { key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" as const };
    const node = await client.get("Node", { name: "node-1" });
    assert.ok(node);
    await client.update("Node", { ...node, spec: { taints: [taint] } });
    assert.equal((await ask(healthz)).status, 503);
    assert.match((await ask(healthz)).body, /"nodeEligible":false/);
    assert.equal((await ask("http://172.30.0.11:10256/livez")).status, 200);
    assert.doesNotMatch((await ask("http://172.30.0.11:10256/livez")).body, /nodeEligible/);
    await client.delete("Node", { name: "node-2" });
    assert.equal((await ask("http://172.30.0.12:10256/healthz")).status, 503);
    assert.equal((await ask("http://172.30.0.11:10256/other")).status, 404);
  });

  test("metrics and the mode are told on the node alone, under upstream's names", async () => {
    const at = "http://127.0.0.1:10249";
    assert.equal((await ask(`${at}/proxyMode`, "node-1")).body, "nftables");
    assert.equal((await ask(`${at}/healthz`, "node-1")).body, "ok");
    assert.equal((await ask("http://172.30.0.11:10249/metrics")).status, 0);
    const { body } = await ask(`${at}/metrics`, "node-1");
    for (const line of [
      /^kubeproxy_sync_proxy_rules_duration_seconds_count\{ip_family="IPv4"\} [1-9]/m,
      /^kubeproxy_sync_full_proxy_rules_duration_seconds_count\{ip_family="IPv4"\} 1$/m,
      /^kubeproxy_network_programming_duration_seconds_bucket\{ip_family="IPv4",le="0.25"\} \d+$/m,
      /^kubeproxy_sync_proxy_rules_endpoint_changes_total\{ip_family="IPv4"\} [1-9]/m,
      ...(hasIPv6 ? [/^kubeproxy_sync_proxy_rules_duration_seconds_count\{ip_family="IPv6"\} [1-9]/m] : []),
      /^kubeproxy_sync_proxy_rules_nftables_sync_failures_total\{ip_family="IPv4"\} 0$/m,
      /^kubeproxy_sync_proxy_rules_no_local_endpoints_total\{ip_family="IPv4",traffic_policy="external"\} 0$/m,
      /^kubeproxy_proxy_healthz_total\{code="503"\} [1-9]/m,
      /^kubeproxy_proxy_livez_total\{code="200"\} [1-9]/m,
    ]) {
      assert.match(body, line);
    }
  });
});
