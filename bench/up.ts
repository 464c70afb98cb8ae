import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#base/clock.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createRemoteClient } from "#client/remote.ts";
import { median, printTable } from "./table.ts";
import { run, startCluster, type TestCluster } from "../test/e2e/cluster.ts";

/**
 * What a person waits for: `up` to the first 200 through Ingress with 3 nodes and 3 pods, a change of an Ingress to its
 * effect on the wire, and the memory of all of Fairlead's processes together.
 */
const rounds = 5;
const quickstart = join(import.meta.dirname, "../examples/quickstart");
const program = join(import.meta.dirname, "../bin/fairlead.ts");

/** Status code of one GET through Ingress; 0 when nothing answers. */
function ask(port: number, host: string, path = "/"): Promise<{ code: number; body: string }> {
  return new Promise((resolve) => {
    const request = get(
      { host: "127.0.0.1", port, path, headers: { host }, agent: false, timeout: 1000 },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.on("end", () => resolve({ code: response.statusCode ?? 0, body }));
      },
    );
    request.on("error", () => resolve({ code: 0, body: "" }));
    request.on("timeout", () => request.destroy());
  });
}

/** Milliseconds from the start of the program to the first 200. */
async function firstAnswer(dataDir: string): Promise<number> {
  const begun = systemClock.monotonic();
  const child = spawn(
    process.execPath,
    [program, "up", quickstart, "--data-dir", dataDir, "--json", "--http-port", "18080"],
    {
      stdio: "ignore",
    },
  );
  try {
    while (systemClock.monotonic() - begun < 60_000) {
      if ((await ask(18_080, "hello.localhost")).code === 200) return systemClock.monotonic() - begun;
      await sleep(5);
    }
    throw new Error("no answer in 60 s");
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    run(process.execPath, [program, "down", "--purge", "--data-dir", dataDir]);
  }
}

/** The first start finds nothing compiled; those after it, and the cluster that is measured, find what it left. */
const compiled = mkdtempSync(join(tmpdir(), "fairlead-compiled-"));
process.env["NODE_COMPILE_CACHE"] = compiled;

async function startTimes(): Promise<{ cold: number; warm: number }> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round += 1)
    times.push(await firstAnswer(mkdtempSync(join(tmpdir(), "fairlead-bench-"))));
  const [cold = 0, ...warm] = times;
  return { cold, warm: median(warm) };
}

/** Milliseconds from the API write's answer to the first request that shows it. */
async function ingressChange(cluster: TestCluster): Promise<{ fromCall: number; fromAnswer: number }> {
  const readFile = (path: string) => readFileSync(path, "utf8");
  const client = createRemoteClient({
    ...parseKubeconfig(readFile(cluster.reach.kubeconfig), { readFile }),
    name: "bench",
  });
  const fromCall: number[] = [];
  const fromAnswer: number[] = [];
  for (let round = 0; round < 40; round += 1) {
    const host = `bench-${round}.localhost`;
    const called = systemClock.monotonic();
    await client.patch(
      "Ingress",
      { namespace: "default", name: "hello" },
      {
        spec: {
          rules: [
            {
              host,
              http: {
                paths: [
                  { path: "/", pathType: "Prefix", backend: { service: { name: "hello", port: { number: 80 } } } },
                ],
              },
            },
          ],
        },
      },
    );
    const answered = systemClock.monotonic();
    while ((await ask(18_080, host)).code !== 200)
      if (systemClock.monotonic() - answered > 5000) throw new Error("no effect in 5 s");
    const seen = systemClock.monotonic();
    fromCall.push(seen - called);
    fromAnswer.push(seen - answered);
  }
  client.close();
  return { fromCall: median(fromCall), fromAnswer: median(fromAnswer) };
}

/** Resident and proportional memory, in MB, of the server, its agent and what the agent keeps running for itself. */
function memory(cluster: TestCluster): { rss: number; pss: number; processes: number } {
  const parents = new Map<number, number>();
  for (const file of globSync("/proc/[0-9]*/stat")) {
    try {
      const stat = readFileSync(file, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      parents.set(Number(file.split("/")[2]), parent);
    } catch {
      // The process has ended meanwhile.
    }
  }
  const ours = new Set([cluster.pid]);
  for (let grown = -1; grown !== ours.size;) {
    grown = ours.size;
    for (const [pid, parent] of parents) if (ours.has(parent)) ours.add(pid);
  }
  const sum = { rss: 0, pss: 0, processes: ours.size };
  for (const pid of ours) {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    sum.rss += Number(/^Rss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
    sum.pss += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
  }
  return sum;
}

const { cold, warm } = await startTimes();
const cluster = await startCluster({ manifests: [quickstart], args: ["--http-port", "18080"] });
const change = await ingressChange(cluster);
// At rest: what only starting needed is given back after a moment.
await sleep(3_000);
const used = memory(cluster);
await cluster.purge();
rmSync(compiled, { recursive: true, force: true });

printTable(
  ["measure", "result", "target"],
  [
    ["up to first 200 through Ingress, cold (nothing compiled)", `${Math.round(cold)} ms`, "4000 ms"],
    [`up to first 200 through Ingress, warm (median of ${rounds})`, `${Math.round(warm)} ms`, "2000 ms"],
    ["change of an Ingress to its effect, from the API's answer", `${change.fromAnswer.toFixed(1)} ms`, "20 ms"],
    ["change of an Ingress to its effect, from the API call", `${change.fromCall.toFixed(1)} ms`, "20 ms"],
    [`resident memory at rest of all ${used.processes} processes`, `${Math.round(used.rss)} MB`, "300 MB"],
    ["  of it proportional (shared pages counted once)", `${Math.round(used.pss)} MB`, ""],
  ],
);
