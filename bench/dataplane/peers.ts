import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { findProgram } from "#roles/packages.ts";
import { hostOf, manyHosts, type Variant } from "./loads.ts";
import type { ServeArguments } from "./serve.ts";

export interface Ports {
  readonly http: number;
  /** HTTP/2 without TLS, which others want a port of its own for. */
  readonly http2: number;
  readonly tls: number;
}

/** A proxy that runs, with one thread for its work. */
export interface Proxy {
  readonly name: string;
  readonly pid: number;
  readonly ports: Ports;
}

/** Where everything of one run lies. */
export interface Ground {
  readonly dir: string;
  readonly endpoint: number;
  readonly children: ChildProcess[];
}

/** Peers that are there, in the order of the table; `fairlead` is first. */
export function contestants(): string[] {
  return ["fairlead", "nginx", "haproxy", "caddy"].filter(
    (name) => name === "fairlead" || findProgram(name) !== undefined,
  );
}

/** Node's own TLS server without any proxy: what it costs, nothing above it can undercut. */
export const bareTls = "bare tls.createServer";

const key = (dir: string) => join(dir, "key.pem");
const cert = (dir: string) => join(dir, "cert.pem");

export async function startEndpoint(dir: string, children: ChildProcess[]): Promise<Ground> {
  const [endpoint = 0] = await freePorts(1);
  writeFileSync(join(dir, "16k"), "x".repeat(16 * 1024));
  writeFileSync(join(dir, "1m"), "x".repeat(1024 * 1024));
  writeFileSync(join(dir, "json"), JSON.stringify({ items: "x".repeat(1000) }));
  const fields = Array.from({ length: 8 }, (_, at) => `add_header X-Field-${at} "value of field ${at}";`).join(" ");
  const config = `${nginxCommon(dir, "endpoint")}
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${dir}/body1; client_body_buffer_size 64k;
  default_type application/json;
  server { listen 127.0.0.1:${endpoint} backlog=4096; root ${dir};
    location /small { return 200 "${"x".repeat(102)}"; }
    location /json { ${fields} try_files /json =404; }
    location /chunked { ssi on; ssi_types *; try_files /16k =404; }
    location /16k { try_files /16k =404; }
    location /1m { try_files /1m =404; } } }`;
  const ground = { dir, endpoint, children };
  await begin(ground, "nginx", nginxArgs(dir, "endpoint.conf", config), endpoint);
  return ground;
}

export async function startProxy(ground: Ground, name: string, variant: Variant): Promise<Proxy> {
  const { dir, endpoint } = ground;
  const [http = 0, http2 = 0, tls = 0] = await freePorts(3);
  const ports = { http, http2, tls };
  const at = { ...ports, dir, endpoint, variant };
  switch (name) {
    case "nginx": {
      const args = nginxArgs(dir, `nginx-${variant}.conf`, nginxConfig(at));
      return { name, ports, pid: await begin(ground, "nginx", args, http) };
    }
    case "haproxy": {
      const file = join(dir, `haproxy-${variant}.cfg`);
      writeFileSync(file, haproxyConfig(at));
      return { name, ports, pid: await begin(ground, "haproxy", ["-q", "-db", "-f", file], http) };
    }
    case "caddy": {
      const file = join(dir, "Caddyfile");
      writeFileSync(file, caddyConfig(at));
      const args = ["run", "--adapter", "caddyfile", "--config", file];
      return { name, ports, pid: await begin(ground, "caddy", args, http) };
    }
    case bareTls: {
      const args = [join(import.meta.dirname, "bare-tls.ts"), String(tls), key(dir), cert(dir)];
      return { name, ports, pid: await begin(ground, process.execPath, args, tls) };
    }
    default: {
      const options: ServeArguments = {
        http,
        tls,
        endpoint,
        key: key(dir),
        cert: cert(dir),
        hosts: variant === "hosts" ? manyHosts : 1,
        ...(variant === "logged" ? { accessLog: join(dir, "fairlead.log") } : {}),
      };
      const args = [join(import.meta.dirname, "serve.ts"), JSON.stringify(options)];
      return { name, ports: { ...ports, http2: http }, pid: await begin(ground, process.execPath, args, http) };
    }
  }
}

interface Place extends Ports {
  readonly dir: string;
  readonly endpoint: number;
  readonly variant: Variant;
}

const nginxCommon = (dir: string, pid: string) => `
daemon off; master_process off; worker_processes 1; pid ${dir}/${pid}.pid; error_log stderr crit;
events { worker_connections 4096; }`;

function nginxArgs(dir: string, name: string, text: string): string[] {
  writeFileSync(join(dir, name), text);
  return ["-e", "stderr", "-p", dir, "-c", join(dir, name)];
}

/** The line of ingress-nginx, less what only it knows. */
const logLine = `log_format upstreaminfo '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
  '"$http_referer" "$http_user_agent" $request_length $request_time [$proxy_host] [] $upstream_addr '
  '$upstream_response_length $upstream_response_time $upstream_status $request_id';`;

function nginxConfig({ dir, http, http2, tls, endpoint, variant }: Place): string {
  const log =
    variant === "logged"
      ? `${logLine} access_log ${dir}/nginx.log upstreaminfo buffer=64k flush=1s;`
      : "access_log off;";
  const names = variant === "hosts" ? Array.from({ length: manyHosts }, (_, at) => hostOf(at)) : ["_"];
  const listen = `listen 127.0.0.1:${http} backlog=4096; listen 127.0.0.1:${http2} http2; listen 127.0.0.1:${tls} ssl http2;`;
  const location = `location / { proxy_pass http://e; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Request-ID $request_id; proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Scheme $scheme; proxy_set_header X-Scheme $scheme;
      proxy_set_header X-Original-Uri $request_uri; }`;
  return `${nginxCommon(dir, `proxy-${variant}`)}
http { ${log} keepalive_requests 1000000000; client_body_temp_path ${dir}/body2; client_body_buffer_size 64k;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128; ssl_session_tickets on; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate ${cert(dir)}; ssl_certificate_key ${key(dir)};
  proxy_temp_path ${dir}/proxy2; upstream e { server 127.0.0.1:${endpoint}; keepalive 320; keepalive_requests 1000000000; }
  server { ${listen} server_name ${names.join("\n")}; ${location} } }`;
}

function haproxyConfig({ dir, http, http2, tls, endpoint, variant }: Place): string {
  const pem = join(dir, "both.pem");
  writeFileSync(pem, readFileSync(cert(dir), "utf8") + readFileSync(key(dir), "utf8"));
  const map = join(dir, "hosts.map");
  writeFileSync(map, Array.from({ length: manyHosts }, (_, at) => `${hostOf(at)} e\n`).join(""));
  const choice = variant === "hosts" ? `use_backend %[req.hdr(host),lower,map(${map},none)]` : "default_backend e";
  return `global
  nbthread 1
defaults
  mode http
  maxconn 4096
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend f
  bind 127.0.0.1:${http} backlog 4096
  bind 127.0.0.1:${http2} proto h2
  bind 127.0.0.1:${tls} ssl crt ${pem} alpn h2,http/1.1
  http-request set-header X-Request-ID %[uuid()]
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Scheme http unless { ssl_fc }
  http-request set-header X-Forwarded-Scheme https if { ssl_fc }
  http-request set-header X-Scheme http unless { ssl_fc }
  http-request set-header X-Scheme https if { ssl_fc }
  http-request set-header X-Original-Uri %[url]
  ${choice}
backend e
  server e 127.0.0.1:${endpoint}
backend none
  http-request return status 404
`;
}

function caddyConfig({ dir, http, http2, tls, endpoint }: Place): string {
  const proxy = `reverse_proxy 127.0.0.1:${endpoint} {
    header_up X-Request-ID {http.request.uuid}
    header_up X-Real-IP {remote_host}
    header_up X-Forwarded-Port {http.request.port}
    header_up X-Forwarded-Scheme {scheme}
    header_up X-Scheme {scheme}
    header_up X-Original-Uri {uri}
  }`;
  return `{
  admin off
  auto_https off
  default_sni bench
  storage file_system ${dir}
  log {
    output discard
  }
  servers {
    protocols h1 h2 h2c
  }
}
http://:${http}, http://:${http2} {
  ${proxy}
}
https://:${tls} {
  tls ${cert(dir)} ${key(dir)}
  ${proxy}
}
`;
}

/** Starts a program and gives its process when it listens on the port. */
export async function begin(
  { dir, children }: Pick<Ground, "dir" | "children">,
  program: string,
  args: readonly string[],
  port: number,
): Promise<number> {
  const child = spawn(findProgram(program) ?? program, args, {
    // Caddy tells much that nobody asked.
    stdio: ["ignore", "ignore", program === "caddy" ? "ignore" : "inherit"],
    // One thread for the work of each.
    env: { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir, GOMAXPROCS: "1" },
  });
  children.push(child);
  for (let attempt = 0; attempt < 400 && child.exitCode === null; attempt += 1) {
    if (await isOpen(port)) return child.pid ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${program} does not listen on port ${port}`);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, "127.0.0.1", done))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(() => done()))));
  return ports;
}
