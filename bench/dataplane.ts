import { execFile, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { loads, scripts, type Load, type Variant } from "./dataplane/loads.ts";
import { costOf } from "./dataplane/measure.ts";
import { bareTls, contestants, startEndpoint, startProxy, type Ground, type Proxy } from "./dataplane/peers.ts";
import { median } from "./table.ts";

/**
 * What a request through the HTTP data plane costs in CPU time, against nginx, haproxy and Caddy as proxies with one
 * thread each, in alternating rounds of one run, so that all see the same machine. All speak to the same nginx as
 * endpoint. CPU time is what /proc/PID/task/N/schedstat counts, all threads of the proxy together.
 */
export interface DataplaneBenchOptions {
  readonly rounds?: number;
  readonly seconds?: number;
  /** An expression that the names of loads match; all when absent. */
  readonly only?: string;
}

const run = promisify(execFile);

/** How long a proxy that has just been started is loaded before it is measured: its code is compiled meanwhile. */
const warmSeconds = 5;

/** Prints microseconds of CPU a request, and ours as ratios to those of others. */
export async function benchDataplane({ rounds = 3, seconds = 1, only }: DataplaneBenchOptions = {}): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  const children: ChildProcess[] = [];
  const names = contestants();
  try {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-subj", "/CN=bench"];
    const files = ["-keyout", join(dir, "key.pem"), "-out", join(dir, "cert.pem")];
    await run("openssl", ["req", "-x509", ...curve, "-addext", "subjectAltName=DNS:bench", ...files, "-days", "2"]);
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(dir, name), text);
    const ground = await startEndpoint(dir, children);
    const proxies = keepProxies(ground);
    const print = (cells: readonly string[]) =>
      console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(26) : cell.padStart(9))).join(" "));
    print(["CPU µs a request", ...names.flatMap((name, at) => (at === 0 ? [name] : [name, "ratio"]))]);
    let unlogged = 0;
    const warm = new Set<Proxy>();
    for (const load of loads.filter(({ name }) => new RegExp(only ?? "").test(name))) {
      const there = names.filter((name) => load.without?.includes(name) !== true);
      if (load.floor === true) there.push(bareTls);
      const all = await Promise.all(there.map((name) => proxies(name, load.variant ?? "plain")));
      for (const proxy of all.filter((one) => !warm.has(one))) await costOf(dir, load, proxy, warmSeconds);
      for (const proxy of all) warm.add(proxy);
      const costs = await measure(dir, load, all, rounds, seconds);
      const ours = costs.get("fairlead") ?? 0;
      if (load === loads[0]) unlogged = ours;
      const cell = (name: string) => costs.get(name)?.toFixed(1) ?? "";
      const ratio = (name: string) => {
        const theirs = costs.get(name);
        return theirs === undefined ? "" : (ours / theirs).toFixed(2);
      };
      const peers = names.slice(1);
      const note = load.variant === "logged" && unlogged > 0 ? `  ${(ours / unlogged).toFixed(2)} of without` : "";
      print([load.name, cell("fairlead"), ...peers.flatMap((name) => [cell(name), ratio(name)]), note]);
      if (load.floor === true) print([`  ${bareTls}`, cell(bareTls)]);
    }
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Starts a proxy when it is first asked for. */
function keepProxies(ground: Ground): (name: string, variant: Variant) => Promise<Proxy> {
  const started = new Map<string, Promise<Proxy>>();
  return (name, variant) => {
    const key = `${name} ${variant}`;
    const proxy = started.get(key) ?? startProxy(ground, name, variant);
    started.set(key, proxy);
    return proxy;
  };
}

/** Medians over the rounds; round 0 warms up. */
async function measure(
  dir: string,
  load: Load,
  proxies: readonly Proxy[],
  rounds: number,
  seconds: number,
): Promise<Map<string, number>> {
  const samples = new Map<string, number[]>(proxies.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const proxy of proxies) {
      const cost = await costOf(dir, load, proxy, seconds);
      if (round > 0) samples.get(proxy.name)?.push(cost);
    }
  }
  return new Map([...samples].map(([name, costs]) => [name, median(costs)]));
}

// `node bench/dataplane.ts [EXPRESSION [ROUNDS]]`
if (import.meta.main) {
  const [only, rounds = "3"] = process.argv.slice(2);
  await benchDataplane({ only, rounds: Number(rounds) });
}
