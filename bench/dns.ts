import { fork } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { Namespace } from "#api/core/namespace/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { createDnsServer } from "#dns/server.ts";
import { createNameCompiler } from "#routing/names/compile.ts";
import { queryFor } from "../test/fakes/dns-client.ts";
import { printTable } from "./table.ts";

/** CPU time of the answering process for one kind of question, the kernel's share for receiving and sending with it. */
export interface DnsMeasure {
  readonly what: string;
  /** Microseconds of CPU for each query. */
  readonly cpu: number;
  /** Queries a second in this run, which the asking side may have limited. */
  readonly rate: number;
  readonly lost: number;
}

const services = 10_000;
const duration = 2_000;
const sockets = 8;
const inFlight = 64;
const zone = "cluster.local";

const questions: readonly (readonly [what: string, name: (index: number) => string, type: string])[] = [
  ["A of a Service", (index) => `web-${index}.dev.svc.${zone}`, "A"],
  ["AAAA without data", (index) => `web-${index}.dev.svc.${zone}`, "AAAA"],
  ["name that does not exist", (index) => `example-${index}.com.dev.svc.${zone}`, "A"],
  ["SRV of a Service", (index) => `_http._tcp.web-${index}.dev.svc.${zone}`, "SRV"],
];

/**
 * Asks a server with 10,000 Services in a process of its own; each round is bounded in time. The first row is a program
 * that only sends each packet back: what any UDP server on this runtime costs.
 */
export async function benchDns(): Promise<DnsMeasure[]> {
  const measures = [await measure("echo", "a packet sent back", questions[0] ?? ["", () => zone, "A"])];
  for (const question of questions) measures.push(await measure("server", question[0], question));
  return measures;
}

async function measure(
  role: "echo" | "server",
  what: string,
  [, name, type]: (typeof questions)[number],
): Promise<DnsMeasure> {
  const child = fork(import.meta.filename, [role]);
  const [port] = (await once(child, "message")) as [number];
  const packets = Array.from({ length: 500 }, (_, index) => queryFor(name(index * 17), type));
  await load(port, packets, duration / 4);
  const before = await cpuOf(child);
  const { answered, lost, seconds } = await load(port, packets, duration);
  const cpu = (await cpuOf(child)) - before;
  child.disconnect();
  await once(child, "exit");
  return { what, cpu: cpu / answered, rate: answered / seconds, lost };
}

async function cpuOf(child: ReturnType<typeof fork>): Promise<number> {
  child.send("cpu");
  const [cpu] = (await once(child, "message")) as [number];
  return cpu;
}

/** Keeps the same number of questions on their way from each socket until the time is over. */
async function load(
  port: number,
  packets: readonly Buffer[],
  ms: number,
): Promise<{ answered: number; lost: number; seconds: number }> {
  const started = performance.now();
  const end = started + ms;
  let sent = 0;
  let answered = 0;
  const all = await Promise.all(
    Array.from({ length: sockets }, async () => {
      const socket = createSocket("udp4");
      await new Promise<void>((resolve) => socket.connect(port, "127.0.0.1", resolve));
      socket.on("message", () => {
        answered += 1;
        if (performance.now() < end) ask();
      });
      const ask = () => {
        sent += 1;
        socket.send(packets[sent % packets.length] as Buffer);
      };
      for (let open = 0; open < inFlight; open++) ask();
      return socket;
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, ms + 200));
  for (const socket of all) socket.close();
  return { answered, lost: sent - answered, seconds: ms / 1000 };
}

/** The side that answers, in its own process. */
async function serve(role: string): Promise<void> {
  const port = role === "echo" ? await serveEcho() : await serveNames();
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on("disconnect", () => process.exit());
  process.send?.(port);
}

async function serveEcho(): Promise<number> {
  const socket = createSocket({ type: "udp4", lookup: (host, _options, done) => done(null, host, 4) });
  socket.on("message", (packet, from) => {
    packet[2] = 0x80;
    socket.send(packet, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket.address().port;
}

async function serveNames(): Promise<number> {
  const compiler = createNameCompiler({ zone });
  const metadata = { name: "dev" };
  compiler.namespace({ after: { apiVersion: "v1", kind: "Namespace", metadata } satisfies Namespace });
  for (let index = 0; index < services; index++) compiler.service({ after: serviceOf(index) });
  const diff = compiler.take();
  if (diff === undefined) throw new Error("no names were compiled");
  const server = createDnsServer({ zone, upstreams: [], serviceAddresses: [] }, { log: silentLog, clock: systemClock });
  server.apply(diff);
  return (await server.listen({ address: "127.0.0.1", port: 0 })).port;
}

function serviceOf(index: number): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `web-${index}`, namespace: "dev" },
    spec: {
      clusterIP: `10.${96 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
      ports: [{ name: "http", port: 80 }],
    },
  };
}

if (import.meta.main && process.send !== undefined && process.argv[2] !== undefined) await serve(process.argv[2]);
else if (import.meta.main) {
  const measures = await benchDns();
  const floor = measures[0]?.cpu ?? 1;
  printTable(
    ["question", "CPU µs a query", "of an echo", "queries/s here", "lost"],
    measures.map(({ what, cpu, rate, lost }) => [
      what,
      cpu.toFixed(2),
      (cpu / floor).toFixed(2),
      rate.toFixed(0),
      String(lost),
    ]),
  );
}
