import assert from "node:assert/strict";
import { test } from "node:test";
import { startDnsHttp, type DnsHttpOptions } from "../../../src/dns/http/start.ts";
import { createProgramming } from "../../../src/dns/programming.ts";
import { createCounters } from "../../../src/dns/metrics.ts";
import { manualClock } from "../../fakes/clock.ts";

const usualDns: DnsHttpOptions["dns"] = {
  isReady: () => true,
  counters: async () => createCounters(),
  programming: createProgramming().durations,
  settings: () => ({ hosts: { entries: [{ address: "192.0.2.1", names: ["a.test", "b.test"] }] } }),
};
const free = { address: "127.0.0.1", port: 0 };

async function withHttp(
  options: Partial<DnsHttpOptions>,
  use: (
    url: (part: "health" | "ready" | "metrics", path?: string) => string,
    http: Awaited<ReturnType<typeof startDnsHttp>>,
  ) => Promise<void>,
): Promise<void> {
  const http = await startDnsHttp({
    dns: usualDns,
    settings: { health: free, ready: free, metrics: free },
    version: "1.2.3",
    clock: manualClock(),
    ...options,
  });
  try {
    await use((part, path = `/${part}`) => `http://127.0.0.1:${http.addresses[part]?.port}${path}`, http);
  } finally {
    await http.stop();
  }
}

async function status(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, { ...init, headers: { connection: "close" } });
  return `${response.status} ${await response.text()}`;
}

test("ready names what is not ready, then says OK until the server goes; health says OK throughout", async () => {
  let isReady = false;
  const dns = { ...usualDns, isReady: () => isReady };
  await withHttp({ dns }, async (url, http) => {
    assert.equal(await status(url("ready")), "503 kubernetes");
    assert.equal(await status(url("health")), "200 OK");
    isReady = true;
    assert.equal(await status(url("ready")), "200 OK");
    http.beginLameduck();
    assert.equal(await status(url("ready")), "503 shutting down");
    assert.equal(await status(url("health")), "200 OK");
  });
});

test("other paths are not found, and nothing can be written", async () => {
  await withHttp({}, async (url) => {
    assert.match(await status(url("health", "/")), /^404/);
    assert.match(await status(url("health", "/ready")), /^404/);
    assert.match(await status(url("ready", "/ready/x")), /^404/);
    assert.match(await status(url("metrics"), { method: "POST", body: "x" }), /^405/);
    assert.equal(await status(url("ready", "/ready?verbose")), "200 OK");
    const head = await fetch(url("health"), { method: "HEAD", headers: { connection: "close" } });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
  });
});

test("metrics tell of DNS, the process, the version and reloads", async () => {
  const reloads = { hash: () => "abc", failures: () => 3 };
  await withHttp({ reloads }, async (url) => {
    const response = await fetch(url("metrics"), { headers: { connection: "close" } });
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    for (const line of [
      /^coredns_build_info\{version="1\.2\.3",revision="",goversion=""\} 1$/m,
      /^coredns_reload_failed_total 3$/m,
      /^coredns_reload_version_info\{hash="sha512",value="abc"\} 1$/m,
      /^process_cpu_seconds_total [\d.]+$/m,
      /^process_open_fds \d+$/m,
      /^coredns_dns_request_duration_seconds_count/m,
      /^coredns_kubernetes_dns_programming_duration_seconds_bucket\{service_kind="cluster_ip",le="0\.001"\} 0$/m,
      /^coredns_plugin_enabled\{server="dns:\/\/:53",zone="\.",view="",name="kubernetes"\} 1$/m,
      /^coredns_plugin_enabled\{.*name="reload"\} 1$/m,
      /^coredns_hosts_entries 2$/m,
      /^coredns_health_request_duration_seconds_count 0$/m,
    ])
      assert.match(text, line);
    assert.doesNotMatch(text, /name="rewrite"/);
    // Each name is introduced once, and before its values.
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    assert.deepEqual(names, [...new Set(names)]);
    for (const line of text.split("\n").filter((line) => line !== "" && !line.startsWith("#")))
      assert.match(line, /^[a-z_]+(\{.*\})? [\d.e+-]+$/i);
  });
});

test("the health port is asked each second, and how long it took is told", async () => {
  const clock = manualClock();
  await withHttp({ clock }, async (url) => {
    clock.advance(1000);
    for (;;) {
      const text = await (await fetch(url("metrics"), { headers: { connection: "close" } })).text();
      if (!/^coredns_health_request_duration_seconds_count 1$/m.test(text)) continue;
      assert.match(text, /^coredns_health_request_failures_total 0$/m);
      return;
    }
  });
});

test("parts that share a port are served by it", async () => {
  const probe = await startDnsHttp({
    dns: usualDns,
    settings: { health: free },
    version: "1",
    clock: manualClock(),
  });
  const at = probe.addresses.health ?? free;
  await probe.stop();
  await withHttp({ settings: { health: at, ready: at } }, async (url) => {
    assert.equal(url("health", ""), url("ready", ""));
    assert.equal(await status(url("health")), "200 OK");
    assert.equal(await status(url("ready")), "200 OK");
  });
});

test("a port that is taken ends the start, and nothing stays open", async () => {
  await withHttp({}, async (url, { addresses }) => {
    const settings = { health: free, ready: addresses.ready ?? free };
    await assert.rejects(
      withHttp({ settings }, async () => {}),
      { code: "EADDRINUSE" },
    );
    assert.equal(await status(url("ready")), "200 OK");
  });
});

test("counters that cannot be had are an error of the request", async () => {
  const dns = { ...usualDns, counters: () => Promise.reject(new Error("the DNS worker ended")) };
  await withHttp({ dns }, async (url) => assert.equal(await status(url("metrics")), "503 the DNS worker ended\n"));
});
