import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Load } from "./loads.ts";
import type { Proxy } from "./peers.ts";

const run = promisify(execFile);

/** Microseconds of CPU that a proxy takes for one request of the load, all its threads together. */
export async function costOf(dir: string, load: Load, proxy: Proxy, seconds: number): Promise<number> {
  const before = cpuMicroseconds(proxy.pid);
  const requests = await drive(dir, load, proxy, seconds).catch((error: unknown) => {
    throw new Error(`${proxy.name}, ${load.name}`, { cause: error });
  });
  return (cpuMicroseconds(proxy.pid) - before) / requests;
}

/** Makes the load and gives how many requests were served. */
function drive(dir: string, load: Load, proxy: Proxy, seconds: number): Promise<number> {
  switch (load.by.tool) {
    case "wrk":
      return wrk(dir, load.by, urlOf(load, proxy, load.by.tls === true), seconds);
    case "h2load":
      return h2load(load.by, urlOf(load, proxy, load.by.tls), seconds);
    case "handshakes":
      return shake(load.path, load.by, proxy, seconds);
  }
}

function urlOf({ path, by }: Load, { ports }: Proxy, tls: boolean): string {
  if (tls) return `https://127.0.0.1:${ports.tls}${path}`;
  return `http://127.0.0.1:${by.tool === "h2load" ? ports.http2 : ports.http}${path}`;
}

/** How many requests wrk was served. */
export async function wrk(
  dir: string,
  { args }: { args: readonly string[] },
  url: string,
  seconds: number,
): Promise<number> {
  const { stdout } = await run("wrk", [`-d${seconds}s`, ...args, url], { cwd: dir });
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  if (requests === 0 || /Non-2xx/.test(stdout)) throw new Error(`wrk was not served at ${url}: ${stdout}`);
  return requests;
}

async function h2load(
  { connections, streams }: { connections: number; streams: number },
  url: string,
  seconds: number,
): Promise<number> {
  const { stdout } = await run("h2load", [`-c${connections}`, `-m${streams}`, `-D${seconds}`, url]);
  const [, served = "0", failed = "1"] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? [];
  if (Number(served) === 0 || Number(failed) > 0) throw new Error(`h2load was not served at ${url}: ${stdout}`);
  return Number(served);
}

/** A connection for each request. */
async function shake(
  path: string,
  { kind, connections }: { kind: string; connections: number },
  { ports }: Proxy,
  seconds: number,
): Promise<number> {
  const client = join(import.meta.dirname, "handshakes.ts");
  const args = [client, String(ports.tls), path, kind, String(seconds), String(connections)];
  const { stdout } = await run(process.execPath, args);
  return Number(stdout);
}

/** CPU time of all threads, from the scheduler's own nanoseconds. */
export function cpuMicroseconds(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]) / 1000;
  }
  return sum;
}
