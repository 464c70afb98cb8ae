import { fork, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "#roles/packages.ts";
import { queryFor, sendUdp } from "../../test/fakes/dns-client.ts";
import { addressOf, clusterZoneFile, outside, outsideZoneFile, serviceName, services, soaOf, zone } from "./names.ts";
import { memoryOf, pin, threadsOf } from "./processes.ts";

/** A DNS server under measurement. */
export interface Server {
  readonly name: string;
  readonly workers: number;
  readonly pid: number;
  readonly port: number;
  readonly forwards: boolean;
  /** Knows no names: its answers are not looked at. */
  readonly echo?: boolean;
  stop(): Promise<void>;
}

/** A server, or why there is none. */
export type Started = Server | { readonly name: string; readonly missing: string };

const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-dns-"));
export const upstreamPort = 5300;

/** Cluster DNS; workers that it does not have make it missing from the table. */
export async function startFairlead(workers: number, port: number): Promise<Started> {
  const name = `fairlead, ${workers} worker${workers === 1 ? "" : "s"}`;
  const server = await startHere(name, [String(workers), String(port)]);
  const answering = threadsOf(server.pid, "dns");
  if (answering >= workers) return placed({ ...server, workers, forwards: port !== 0 });
  await server.stop();
  return { name, missing: `it answers with ${answering} worker` };
}

/** A program on the same runtime that only sends packets back: the floor of all that runs on it. */
export async function startEcho(): Promise<Server> {
  return placed({ ...(await startHere("echo on Node", ["echo"])), echo: true });
}

/** The memory in MB of the same process with all objects but without DNS. */
export async function memoryWithoutDns(): Promise<number> {
  const server = await startHere("objects", ["0"]);
  const memory = memoryOf(server.pid);
  await server.stop();
  return memory;
}

async function startHere(name: string, args: readonly string[]): Promise<Server> {
  const child = fork(join(import.meta.dirname, "serve.ts"), args);
  const [port] = (await once(child, "message")) as [number];
  const stop = () => stopped(child, () => child.disconnect());
  return { name, workers: 1, pid: child.pid ?? 0, port, forwards: false, stop };
}

/** The server that the others ask; `undefined` when there is no program for it. */
export async function startUpstream(): Promise<Server | undefined> {
  const started = await startKnot({ name: "upstream", workers: 1, port: upstreamPort }, outside, outsideZoneFile());
  if ("missing" in started) return undefined;
  // With the questions, away from the server that is measured.
  pin(started.pid, "1");
  return started;
}

export const others: readonly ((workers: number, port: number) => Promise<Started>)[] = [
  (workers, port) => startUnbound({ name: "unbound", workers, port }),
  (workers, port) => startKnot({ name: "knot", workers, port }, zone, clusterZoneFile()),
  (workers, port) => startDnsmasq({ name: "dnsmasq", workers, port }),
];

interface Plan {
  readonly name: string;
  readonly workers: number;
  readonly port: number;
}

function startUnbound(plan: Plan): Promise<Started> {
  const hosts = Array.from(
    { length: services },
    (_, index) => `  local-data: "${serviceName(index)}. 30 IN A ${addressOf(index)}"`,
  );
  const config = `server:
  directory: "${folder}"
  interface: 127.0.0.1@${plan.port}
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  verbosity: 0
  module-config: "iterator"
  num-threads: ${plan.workers}
  so-reuseport: yes
  do-not-query-localhost: no
  outgoing-range: 4096
  num-queries-per-thread: 2048
  local-zone: "${zone}." static
  local-data: "${soaOf(zone)}"
${hosts.join("\n")}
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${upstreamPort}
`;
  return launch(plan, "unbound", ["-d", "-c", write(`unbound-${plan.port}.conf`, config)], true);
}

function startKnot(plan: Plan, origin: string, text: string): Promise<Started> {
  const storage = join(folder, `knot-${plan.port}`);
  mkdirSync(storage);
  const config = `server:
  rundir: "${storage}"
  listen: 127.0.0.1@${plan.port}
  udp-workers: ${plan.workers}
  tcp-workers: 1
  background-workers: 1
log:
- target: stderr
  any: critical
database:
  storage: "${storage}"
zone:
- domain: ${origin}
  file: "${write(`${origin}-${plan.port}.zone`, text)}"
  zonefile-load: whole
  journal-content: none
`;
  return launch(plan, "knotd", ["-c", write(`knot-${plan.port}.conf`, config)], false);
}

function startDnsmasq(plan: Plan): Promise<Started> {
  if (plan.workers > 1) return Promise.resolve({ name: nameOf(plan), missing: "it has one thread only" });
  const hosts = Array.from({ length: services }, (_, index) => `${addressOf(index)} ${serviceName(index)}\n`);
  const config = `keep-in-foreground
user=root
no-resolv
no-hosts
addn-hosts=${write("hosts", hosts.join(""))}
port=${plan.port}
listen-address=127.0.0.1
bind-interfaces
local=/${zone}/
local-ttl=30
cache-size=10000
dns-forward-max=1000
server=127.0.0.1#${upstreamPort}
pid-file=
`;
  return launch(plan, "dnsmasq", ["-C", write("dnsmasq.conf", config)], true);
}

function nameOf({ name, workers }: Plan): string {
  return workers === 1 ? name : `${name}, ${workers} threads`;
}

async function launch(plan: Plan, program: string, args: readonly string[], forwards: boolean): Promise<Started> {
  const path = findProgram(program);
  if (path === undefined) return { name: nameOf(plan), missing: `${program} is not installed` };
  const child = spawn(path, args, { stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  const started = {
    ...plan,
    name: nameOf(plan),
    pid: child.pid ?? 0,
    forwards,
    stop: () => stopped(child, () => child.kill()),
  };
  for (let attempt = 0; attempt < 100 && child.exitCode === null; attempt++) {
    const answer = await sendUdp({ address: "127.0.0.1", port: plan.port }, queryFor(zone, "SOA"), 100);
    if (answer !== undefined) return placed(started);
  }
  if (child.exitCode === null) await started.stop();
  return { name: nameOf(plan), missing: `it did not start: ${complaints.trim().split("\n").at(-1) ?? ""}` };
}

/** One worker has a processor of its own; more take what there is. */
function placed(server: Server): Server {
  if (server.workers === 1 && server.name !== "upstream") pin(server.pid, "0");
  return server;
}

async function stopped(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  end();
  await exited;
}

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Whether processes can be kept on processors here. */
export function canPin(): boolean {
  return spawnSync("taskset", ["-c", "1", "true"]).status === 0;
}
