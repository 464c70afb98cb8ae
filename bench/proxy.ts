import { spawnSync } from "node:child_process";
import { silentLog } from "#base/log.ts";
import type { Service } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { ModeDefinition } from "#proxy/definition.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { iptables } from "#proxy/modes/iptables/mode.ts";
import { nftables } from "#proxy/modes/nftables/mode.ts";
import { createServiceCompiler } from "#routing/l4/compiler.ts";
import { canSandbox, runInSandbox } from "../scripts/sandbox.ts";
import { median, printTable } from "./table.ts";

/** Times in milliseconds for one mode and one number of Services with three endpoints each. */
export interface ProxyMeasure {
  readonly mode: string;
  readonly services: number;
  /** Objects to table, all of it. */
  readonly compile: number;
  /** The table into an empty kernel. */
  readonly load: number;
  /** The whole table taken over by a new start where its rules stand already. */
  readonly takeover: number;
  /** One endpoint replaced, from the slice's change to the kernel's answer: smallest and median of many. */
  readonly changeMin: number;
  readonly changeMedian: number;
  /** What of a change is this program's own part. */
  readonly renderMedian: number;
  /** Everything read back and compared, as after a change by another program. */
  readonly inspection: number;
  /** A look when nobody else changed anything. */
  readonly look: number;
}

const changes = 200;
/**
 * Changes before those that are counted: for half a second after a large load the kernel makes its hash tables grow, and a
 * change takes up to 2 ms meanwhile.
 */
const changesBefore = 600;

/** Measures in the network namespace this process is in, which must be a sandbox. */
export async function benchProxy(sizes: readonly number[] = [10, 1000, 10_000]): Promise<ProxyMeasure[]> {
  const measures: ProxyMeasure[] = [];
  for (const size of sizes) {
    for (const definition of [nftables, iptables]) measures.push(await measure(definition, size));
  }
  return measures;
}

async function measure(definition: ModeDefinition, services: number): Promise<ProxyMeasure> {
  const node: ProxyNode = {
    name: "node-1",
    addresses: ["172.30.0.11"],
    podCidrs: ["10.244.0.0/16"],
    serviceCidrs: ["10.96.0.0/12"],
  };
  const start = performance.now();
  const compiler = createServiceCompiler();
  for (let index = 0; index < services; index += 1) {
    compiler.service({ after: serviceOf(index) });
    compiler.slice({ after: sliceOf(index, 0) });
  }
  const everything = compiler.take();
  if (everything === undefined) throw new Error("nothing was compiled");
  const compile = performance.now() - start;
  await definition.cleanup(node);
  const mode = definition.start(node, { log: silentLog });
  const load = (await mode.apply(everything)).ms;
  const times: number[] = [];
  const kernel: number[] = [];
  const before = definition === nftables ? changesBefore : 0;
  for (let turn = 1; turn <= before + changes; turn += 1) {
    const index = (turn * 37) % services;
    const began = performance.now();
    compiler.slice({ before: sliceOf(index, turn - 1), after: sliceOf(index, turn) });
    const diff = compiler.take();
    if (diff === undefined) throw new Error("nothing changed");
    const asked = performance.now();
    await mode.apply(diff);
    if (turn <= before) continue;
    kernel.push(performance.now() - asked);
    times.push(performance.now() - began);
  }
  const timed = async () => {
    const began = performance.now();
    if ((await mode.isIntact?.()) === false) throw new Error(`found damaged: ${mode.damage?.() ?? ""}`);
    return performance.now() - began;
  };
  const look = await timed();
  spawnSync("nft", ["add", "table", "ip", `other-${services}-${definition.name}`]);
  const inspection = await timed();
  await mode.stop();
  const next = definition.start(node, { log: silentLog });
  const takeover = (await next.apply(everything)).ms;
  await next.stop();
  await next.cleanup();
  const own = median(times) - median(kernel);
  return {
    mode: definition.name,
    services,
    compile,
    load,
    takeover,
    changeMin: Math.min(...times),
    changeMedian: median(times),
    renderMedian: own,
    inspection,
    look,
  };
}

function serviceOf(index: number): Service {
  const clusterIP = `10.${96 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "bench", name: `s-${index}`, resourceVersion: "1" },
    spec: { type: "ClusterIP", clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80, protocol: "TCP" }] },
  };
}

function sliceOf(index: number, turn: number): EndpointSlice {
  const endpoints = [0, 1, 2].map((slot) => {
    const value = index * 3 + slot;
    const last = slot === 2 && turn > 0 ? 1 + (turn % 199) : 0;
    const address = `10.${128 + ((value >> 16) & 63)}.${(value >> 8) & 255}.${value & 255}`;
    return { addresses: [last === 0 ? address : `10.200.${last}.${index & 255}`], nodeName: `node-${slot + 1}` };
  });
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace: "bench",
      name: `s-${index}-1`,
      resourceVersion: String(turn + 2),
      labels: { [serviceNameLabel]: `s-${index}` },
    },
    addressType: "IPv4",
    endpoints,
    ports: [{ name: "", protocol: "TCP", port: 8080 }],
  };
}

export function printProxy(measures: readonly ProxyMeasure[]): void {
  const head = [
    "mode",
    "services",
    "compile",
    "cold load",
    "takeover",
    "change (min)",
    "change (median)",
    "own part",
    "inspection",
    "look (ms)",
  ];
  const rows = measures.map(({ mode, services, ...times }) => [
    mode,
    String(services),
    ...Object.values(times).map((ms: number) => ms.toFixed(2)),
  ]);
  printTable(head, rows);
}

if (import.meta.main) {
  if (process.argv.includes("--inside")) printProxy(await benchProxy());
  else if (!canSandbox() || ["nft", "iptables"].some((name) => spawnSync(name, ["--version"]).status !== 0)) {
    console.log("needs root, nft and iptables");
  } else process.exitCode = await runInSandbox([process.execPath, import.meta.filename, "--inside"]);
}
