import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/**
 * What a request through the HTTP data plane costs in CPU time, against nginx as a proxy with one worker, in alternating
 * rounds of one run, so that both see the same machine. Both speak to the same nginx as endpoint. CPU time is what
 * /proc/PID/task/N/schedstat counts, all threads of the proxy together.
 */
export interface DataplaneBenchResult {
  readonly load: string;
  /** Medians over the rounds, in microseconds of CPU a request. */
  readonly fairlead: number;
  readonly nginx: number;
  readonly ratio: number;
  /** What the access log adds, as a ratio to `fairlead`; measured with the first load. */
  readonly logged?: number;
}

export interface DataplaneBenchOptions {
  readonly rounds?: number;
  readonly seconds?: number;
  /** Loads whose name holds this; all when absent. */
  readonly only?: string;
  readonly print?: (line: string) => void;
}

const run = promisify(execFile);

interface Load {
  readonly name: string;
  readonly path: string;
  /** Of wrk; or, with `streams`, HTTP/2 by h2load with so many streams at once on each of so many connections. */
  readonly args: readonly string[];
  readonly streams?: readonly [connections: number, streams: number];
  readonly tls?: boolean;
}

const loads: readonly Load[] = [
  { name: "small GET, keep-alive", path: "/small", args: [] },
  { name: "16 KB body", path: "/16k", args: [] },
  { name: "POST 16 KB", path: "/small", args: ["-s", "post.lua"] },
  { name: "connection per request", path: "/small", args: ["-H", "Connection: close"] },
  ...[false, true].flatMap((tls) =>
    (
      [
        [1, 1],
        [16, 1],
        [8, 32],
      ] as const
    ).map((streams) => ({
      name: `HTTP/2 ${streams.join("x")}${tls ? ", TLS" : ""}`,
      path: "/small",
      args: [],
      streams,
      tls,
    })),
  ),
];

const common = (dir: string, pid: string) => `
daemon off; master_process off; worker_processes 1; pid ${dir}/${pid}.pid; error_log stderr crit;
events { worker_connections 4096; }`;

const endpointConfig = (dir: string, port: number) => `${common(dir, "endpoint")}
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${dir}/body1; client_body_buffer_size 64k;
  server { listen 127.0.0.1:${port} backlog=4096; root ${dir};
    location /small { return 200 "${"x".repeat(102)}"; }
    location /16k { try_files /16k =404; } } }`;

interface Ports {
  readonly http: number;
  /** HTTP/2 without TLS, which nginx wants a port of its own for. */
  readonly http2: number;
  readonly tls: number;
}

const proxyConfig = (dir: string, { http, http2, tls }: Ports, endpoint: number) => `${common(dir, "proxy")}
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${dir}/body2; client_body_buffer_size 64k;
  proxy_temp_path ${dir}/proxy2; upstream e { server 127.0.0.1:${endpoint}; keepalive 320; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${http} backlog=4096; listen 127.0.0.1:${http2} http2; listen 127.0.0.1:${tls} ssl http2;
    ssl_certificate ${dir}/cert.pem; ssl_certificate_key ${dir}/key.pem;
    location / { proxy_pass http://e; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Request-ID $request_id; proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Scheme $scheme; proxy_set_header X-Scheme $scheme;
      proxy_set_header X-Original-Uri $request_uri; } } }`;

/** Prints and returns the medians; needs nginx, wrk, openssl, and h2load (Debian: nghttp2-client). */
export async function benchDataplane(options: DataplaneBenchOptions = {}): Promise<readonly DataplaneBenchResult[]> {
  const { rounds = 3, seconds = 2, only, print = console.log } = options;
  const dir = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  const children: ChildProcess[] = [];
  try {
    const [endpoint = 0, http = 0, http2 = 0, tls = 0, own = 0, ownTls = 0, log = 0, logTls = 0] = await freePorts(8);
    const nginx: Ports = { http, http2, tls };
    const fairlead: Ports = { http: own, http2: own, tls: ownTls };
    const logged: Ports = { http: log, http2: log, tls: logTls };
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-subj", "/CN=bench"];
    const pems = [join(dir, "key.pem"), join(dir, "cert.pem")] as const;
    await run("openssl", ["req", "-x509", ...curve, "-keyout", pems[0], "-out", pems[1], "-days", "2"]);
    writeFileSync(join(dir, "16k"), "x".repeat(16 * 1024));
    writeFileSync(join(dir, "post.lua"), `wrk.method = "POST"\nwrk.body = string.rep("x", 16384)\n`);
    const begin = (command: string, args: readonly string[], port: number) => {
      const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
      children.push(child);
      return reachable(port).then(() => child);
    };
    const nginxArgs = (name: string, text: string) => {
      writeFileSync(join(dir, name), text);
      return ["-e", "stderr", "-p", dir, "-c", join(dir, name)];
    };
    await begin("nginx", nginxArgs("endpoint.conf", endpointConfig(dir, endpoint)), endpoint);
    const serve = ({ http, tls }: Ports, ...more: string[]) => {
      const script = join(import.meta.dirname, "dataplane-serve.ts");
      const args = [script, ...[http, endpoint, tls].map(String), ...pems, ...more];
      return begin(process.execPath, args, http);
    };
    const proxies = [
      { ports: nginx, child: await begin("nginx", nginxArgs("proxy.conf", proxyConfig(dir, nginx, endpoint)), http) },
      {
        ports: fairlead,
        child: await serve(fairlead),
      },
      { ports: logged, child: await serve(logged, join(dir, "access.log")) },
    ];
    const results: DataplaneBenchResult[] = [];
    for (const load of loads.filter(({ name }) => only === undefined || name.includes(only))) {
      const contestants = load === loads[0] ? proxies : proxies.slice(0, 2);
      const samples: number[][] = contestants.map(() => []);
      for (let round = 0; round <= rounds; round += 1) {
        for (const [index, { ports, child }] of contestants.entries()) {
          // Round 0 warms up.
          const cost = await costOf(dir, load, ports, child.pid ?? 0, round === 0 ? 1 : seconds);
          if (round > 0) samples[index]?.push(cost);
        }
      }
      const [theirs = 0, ours = 0, oursLogged] = samples.map(median);
      const extra = oursLogged === undefined ? {} : { logged: oursLogged / ours };
      results.push({ load: load.name, fairlead: ours, nginx: theirs, ratio: ours / theirs, ...extra });
      print(
        `${load.name.padEnd(24)} fairlead ${ours.toFixed(1)} µs  nginx ${theirs.toFixed(1)} µs  ratio ${(ours / theirs).toFixed(2)}${oursLogged === undefined ? "" : `  access log ×${(oursLogged / ours).toFixed(2)}`}`,
      );
    }
    return results;
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
}

async function costOf(dir: string, load: Load, ports: Ports, pid: number, seconds: number): Promise<number> {
  const before = cpuMicroseconds(pid);
  const requests = await (load.streams === undefined ? wrk(dir, load, ports, seconds) : h2load(load, ports, seconds));
  return (cpuMicroseconds(pid) - before) / requests;
}

/** How many requests were served. */
async function wrk(dir: string, { args, path }: Load, { http }: Ports, seconds: number): Promise<number> {
  const { stdout } = await run("wrk", ["-t1", "-c64", `-d${seconds}s`, ...args, `http://127.0.0.1:${http}${path}`], {
    cwd: dir,
  });
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  if (requests === 0 || /Non-2xx/.test(stdout)) throw new Error(`wrk was not served at ${http}: ${stdout}`);
  return requests;
}

async function h2load({ streams = [1, 1], path, tls }: Load, ports: Ports, seconds: number): Promise<number> {
  const url = tls === true ? `https://127.0.0.1:${ports.tls}${path}` : `http://127.0.0.1:${ports.http2}${path}`;
  const [connections, each] = streams;
  const { stdout } = await run("h2load", [`-c${connections}`, `-m${each}`, `-D${seconds}`, url]);
  const [, served = "0", failed = "1"] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? [];
  if (Number(served) === 0 || Number(failed) > 0) throw new Error(`h2load was not served at ${url}: ${stdout}`);
  return Number(served);
}

/** CPU time of all threads, from the scheduler's own nanoseconds. */
function cpuMicroseconds(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]) / 1000;
  }
  return sum;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, "127.0.0.1", done))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(() => done()))));
  return ports;
}

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens on port ${port} after 5 s`);
}

// `node bench/dataplane.ts [PART-OF-A-LOAD'S-NAME]`
if (import.meta.main) await benchDataplane({ only: process.argv[2] });
