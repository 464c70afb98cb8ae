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
  readonly print?: (line: string) => void;
}

const run = promisify(execFile);

const loads: readonly { readonly name: string; readonly path: string; readonly args: readonly string[] }[] = [
  { name: "small GET, keep-alive", path: "/small", args: [] },
  { name: "16 KB body", path: "/16k", args: [] },
  { name: "POST 16 KB", path: "/small", args: ["-s", "post.lua"] },
  { name: "connection per request", path: "/small", args: ["-H", "Connection: close"] },
];

const common = (dir: string, pid: string) => `
daemon off; master_process off; worker_processes 1; pid ${dir}/${pid}.pid; error_log stderr crit;
events { worker_connections 4096; }`;

const endpointConfig = (dir: string, port: number) => `${common(dir, "endpoint")}
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${dir}/body1; client_body_buffer_size 64k;
  server { listen 127.0.0.1:${port} backlog=4096; root ${dir};
    location /small { return 200 "${"x".repeat(102)}"; }
    location /16k { try_files /16k =404; } } }`;

const proxyConfig = (dir: string, port: number, endpoint: number) => `${common(dir, "proxy")}
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${dir}/body2; client_body_buffer_size 64k;
  proxy_temp_path ${dir}/proxy2; upstream e { server 127.0.0.1:${endpoint}; keepalive 320; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://e; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Request-ID $request_id; proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Scheme $scheme; proxy_set_header X-Scheme $scheme;
      proxy_set_header X-Original-Uri $request_uri; } } }`;

/** Prints and returns the medians; needs nginx and wrk. */
export async function benchDataplane(options: DataplaneBenchOptions = {}): Promise<readonly DataplaneBenchResult[]> {
  const { rounds = 3, seconds = 2, print = console.log } = options;
  const dir = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  const children: ChildProcess[] = [];
  try {
    const [endpoint = 0, nginx = 0, fairlead = 0, logged = 0] = await freePorts(4);
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
    const serve = (port: number, ...more: string[]) => {
      const script = join(import.meta.dirname, "dataplane-serve.ts");
      return begin(process.execPath, [script, String(port), String(endpoint), ...more], port);
    };
    const proxies = [
      { port: nginx, child: await begin("nginx", nginxArgs("proxy.conf", proxyConfig(dir, nginx, endpoint)), nginx) },
      {
        port: fairlead,
        child: await serve(fairlead),
      },
      { port: logged, child: await serve(logged, join(dir, "access.log")) },
    ];
    const results: DataplaneBenchResult[] = [];
    for (const load of loads) {
      const contestants = load === loads[0] ? proxies : proxies.slice(0, 2);
      const samples: number[][] = contestants.map(() => []);
      for (let round = 0; round <= rounds; round += 1) {
        for (const [index, { port, child }] of contestants.entries()) {
          // Round 0 warms up.
          const cost = await costOf(dir, load, port, child.pid ?? 0, round === 0 ? 1 : seconds);
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

async function costOf(
  dir: string,
  load: (typeof loads)[number],
  port: number,
  pid: number,
  seconds: number,
): Promise<number> {
  const before = cpuMicroseconds(pid);
  const args = ["-t1", "-c64", `-d${seconds}s`, ...load.args, `http://127.0.0.1:${port}${load.path}`];
  const { stdout } = await run("wrk", args, { cwd: dir });
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  if (requests === 0 || /Non-2xx/.test(stdout)) throw new Error(`wrk was not served at ${port}: ${stdout}`);
  return (cpuMicroseconds(pid) - before) / requests;
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

if (import.meta.main) await benchDataplane();
