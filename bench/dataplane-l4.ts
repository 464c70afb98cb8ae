import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "#roles/packages.ts";
import { cpuMicroseconds, wrk } from "./dataplane/measure.ts";
import { begin, freePorts } from "./dataplane/peers.ts";
import { udpLoad } from "./dataplane/udp-load.ts";
import { median, printTable } from "./table.ts";

/**
 * What TCP and UDP ports cost in CPU time, against nginx's stream module and, for TCP, haproxy, all with one worker and
 * the same endpoint, in alternating rounds of one run. CPU time is what /proc/PID/task/N/schedstat counts, all threads of
 * a proxy together. nginx has 64 KB buffers, without which it costs more.
 */
export interface StreamBenchResult {
  readonly load: string;
  /** Medians over the rounds, in microseconds of CPU a request, a connection or a round trip. */
  readonly costs: Readonly<Record<string, number>>;
}

const streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

interface Ports {
  readonly tcp: number;
  readonly udp: number;
}

interface Load {
  readonly name: string;
  readonly udp?: boolean;
  /** How many requests, connections or round trips there were. */
  readonly drive: (ports: Ports, seconds: number) => Promise<number>;
}

const loads: readonly Load[] = [
  { name: "TCP small", drive: ask("/small", "-c64") },
  { name: "TCP 1 MB", drive: ask("/1m", "-c16") },
  { name: "TCP connections", drive: ask("/small", "-c64", "-H", "Connection: close") },
  { name: "UDP, 16 flows", udp: true, drive: ({ udp }, seconds) => udpLoad(udp, 16, seconds) },
  { name: "UDP, 200 flows", udp: true, drive: ({ udp }, seconds) => udpLoad(udp, 200, seconds) },
];

/** wrk speaks HTTP to the endpoint; the proxies between see bytes. */
function ask(path: string, ...args: readonly string[]): Load["drive"] {
  return ({ tcp }, seconds) => wrk(tmpdir(), { args: ["-t1", ...args] }, `http://127.0.0.1:${tcp}${path}`, seconds);
}

const common = (dir: string, name: string) => `load_module ${streamModule};
daemon off; master_process off; worker_processes 1; pid ${dir}/${name}.pid; error_log stderr crit;
events { worker_connections 4096; }`;

const endpointConfig = (dir: string, { tcp, udp }: Ports) => `${common(dir, "endpoint")}
stream { server { listen 127.0.0.1:${udp} udp; return "${"y".repeat(64)}"; } }
http { access_log off; keepalive_requests 1000000000; sendfile on;
  server { listen 127.0.0.1:${tcp} backlog=4096; root ${dir};
    location /small { return 200 "${"x".repeat(100)}"; } location /1m { try_files /1m =404; } } }`;

const nginxConfig = (dir: string, { tcp, udp }: Ports, to: Ports) => `${common(dir, "nginx")}
stream { proxy_buffer_size 64k; proxy_timeout 60s;
  server { listen 127.0.0.1:${tcp} backlog=4096; proxy_pass 127.0.0.1:${to.tcp}; }
  server { listen 127.0.0.1:${udp} udp; proxy_pass 127.0.0.1:${to.udp}; } }`;

const haproxyConfig = ({ tcp }: Ports, to: Ports) => `global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen tcp
  bind 127.0.0.1:${tcp}
  server endpoint 127.0.0.1:${to.tcp}
`;

export async function benchStreams(
  options: { readonly rounds?: number; readonly seconds?: number; readonly only?: string } = {},
): Promise<readonly StreamBenchResult[]> {
  const { rounds = 3, seconds = 2, only = "" } = options;
  if (!existsSync(streamModule))
    throw new Error("nginx's stream module is missing: apt-get install libnginx-mod-stream");
  const dir = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  const children: ChildProcess[] = [];
  const start = (program: string, args: readonly string[], port: number) =>
    begin({ dir, children }, program, args, port);
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const nginx = (name: string, text: string, port: number) =>
    start("nginx", ["-e", "stderr", "-p", dir, "-c", file(name, text)], port);
  try {
    file("1m", "x".repeat(1 << 20));
    const [endpoint, ours, theirs, others] = await Promise.all([pair(), pair(), pair(), pair()]);
    await nginx("endpoint.conf", endpointConfig(dir, endpoint), endpoint.tcp);
    const serve = join(import.meta.dirname, "dataplane/serve-streams.ts");
    const args = [serve, ...[ours.tcp, endpoint.tcp, ours.udp, endpoint.udp].map(String)];
    const proxies = [
      { name: "fairlead", ports: ours, pid: await start(process.execPath, args, ours.tcp) },
      { name: "nginx", ports: theirs, pid: await nginx("nginx.conf", nginxConfig(dir, theirs, endpoint), theirs.tcp) },
    ];
    if (findProgram("haproxy") !== undefined) {
      const config = file("haproxy.cfg", haproxyConfig(others, endpoint));
      proxies.push({ name: "haproxy", ports: others, pid: await start("haproxy", ["-db", "-f", config], others.tcp) });
    }
    const results: StreamBenchResult[] = [];
    for (const load of loads.filter(({ name }) => name.includes(only))) {
      const contestants = proxies.filter(({ name }) => load.udp !== true || name !== "haproxy");
      const samples = contestants.map((): number[] => []);
      for (let round = 0; round <= rounds; round += 1) {
        for (const [index, { ports, pid }] of contestants.entries()) {
          const before = cpuMicroseconds(pid);
          // Round 0 warms up.
          const count = await load.drive(ports, round === 0 ? 1 : seconds);
          if (round > 0) samples[index]?.push((cpuMicroseconds(pid) - before) / count);
        }
      }
      const costs = contestants.map(({ name }, index) => [name, median(samples[index] ?? [])] as const);
      results.push({ load: load.name, costs: Object.fromEntries(costs) });
    }
    printTable(["load", "fairlead", "nginx", "haproxy", "to nginx", "to haproxy"], results.map(rowOf));
    return results;
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
}

async function pair(): Promise<Ports> {
  const [tcp = 0, udp = 0] = await freePorts(2);
  return { tcp, udp };
}

function rowOf({ load, costs }: StreamBenchResult): string[] {
  const { fairlead = 0, nginx = 0, haproxy } = costs;
  const shown = (value: number | undefined) => (value === undefined ? "" : `${value.toFixed(1)} µs`);
  const ratio = (value: number | undefined) => (value === undefined ? "" : (fairlead / value).toFixed(2));
  return [load, shown(fairlead), shown(nginx), shown(haproxy), ratio(nginx), ratio(haproxy)];
}

// `node bench/dataplane-l4.ts [PART-OF-A-LOAD'S-NAME]`
if (import.meta.main) await benchStreams(process.argv[2] === undefined ? {} : { only: process.argv[2] });
