import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { Agent, get, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCertificates } from "#apiserver/certificates.ts";
import { startApiServer } from "#apiserver/start.ts";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { createNodePortAllocator } from "#controllers/node-port/admission.ts";
import { createServiceIpAllocator } from "#controllers/service-ip/allocator.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { printTable } from "./table.ts";

/** CPU time of the API server's process for one kind of work, TLS and SQLite on disk with it. */
export interface ApiMeasure {
  readonly what: string;
  /** Microseconds of CPU for each answer, or for each event to one watcher. */
  readonly cpu: number;
  /** Answers or events a second in this run, which the asking side may have limited. */
  readonly rate: number;
}

export interface ApiMeasures {
  readonly measures: readonly ApiMeasure[];
  /** Memory of the server's process, in MB: fresh, with all Services, and after everything. */
  readonly memory: { readonly fresh: number; readonly full: number; readonly end: number };
}

const services = 10_000;
const bindings = 2000;
const watchers = 500;
const updates = 200;
const connections = 16;
const collection = "/api/v1/namespaces/dev/services";

/** What the server tells of itself: where it is and how to sign in, then CPU time and memory whenever it is asked. */
interface Place {
  readonly port: number;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

interface Usage {
  readonly cpu: number;
  readonly rss: number;
}

/** Asks a server in a process of its own, over its own certificates and a store on disk. */
export async function benchApiServer(): Promise<ApiMeasures> {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  const child = fork(import.meta.filename, [directory]);
  try {
    const [place] = (await once(child, "message")) as [Place];
    return await measureAll(child, place);
  } finally {
    child.disconnect();
    await once(child, "exit");
    rmSync(directory, { recursive: true });
  }
}

async function measureAll(child: ChildProcess, place: Place): Promise<ApiMeasures> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ...place.tls });
  const ask: Ask = (method, path, body, asTable) => send({ agent, port: place.port }, method, path, body, asTable);
  const measures: ApiMeasure[] = [];
  const measure = async (what: string, count: number, each: (index: number) => Promise<unknown>) => {
    measures.push(await measureWork(child, what, count, each));
  };
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "dev" } });
  for (let index = 0; index < 300; index += 1) await ask("GET", "/api/v1/namespaces/dev");
  const fresh = (await usageOf(child)).rss;
  await measure("create a Service", services, (index) => ask("POST", collection, serviceOf(index)));
  const full = (await usageOf(child)).rss;
  await measure("GET a Service", 10_000, (index) => ask("GET", `${collection}/web-${index % services}`));
  const session = connect(`https://127.0.0.1:${place.port}`, place.tls);
  await once(session, "remoteSettings");
  await measure("the same over HTTP/2, on one connection", 10_000, (index) =>
    read(session.request({ ":path": `${collection}/web-${index % services}` })),
  );
  session.close();
  const byToken = await signInByToken(place, ask);
  await measure(`the same by a token, among ${bindings} RoleBindings`, 10_000, (index) =>
    byToken.ask("GET", `${collection}/web-${index % services}`),
  );
  byToken.agent.destroy();
  await measure("PATCH a Service", 3000, (index) =>
    ask("PATCH", `${collection}/web-${index % services}`, { metadata: { annotations: { turn: String(index) } } }),
  );
  await measure("list by label (20 of 10,000)", 200, () => ask("GET", "/api/v1/services?labelSelector=group%3Dg7"));
  await measure("page of 500 as a Table", 100, () => ask("GET", "/api/v1/services?limit=500", undefined, true));
  await measure("list of 10,000", 30, () => ask("GET", "/api/v1/services"));
  measures.push(await measureWatch(child, ask, overHttp1(place), ""));
  measures.push(await measureWatch(child, ask, overHttp2(place), " over HTTP/2, a hundred on a connection"));
  agent.destroy();
  return { measures, memory: { fresh, full, end: (await usageOf(child)).rss } };
}

/** A ServiceAccount that may read Services by one RoleBinding of many. */
async function signInByToken({ port, tls }: Place, ask: Ask): Promise<{ agent: Agent; ask: Ask }> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/dev";
  await ask("POST", `${rbac}/roles`, {
    metadata: { name: "reader" },
    rules: [{ verbs: ["get"], apiGroups: [""], resources: ["services"] }],
  });
  for (let index = 0; index < bindings; index += 1) {
    const subjects = [{ kind: "ServiceAccount", name: `bot-${index}` }];
    const roleRef = { kind: "Role", name: "reader" };
    await ask("POST", `${rbac}/rolebindings`, { metadata: { name: `reader-${index}` }, roleRef, subjects });
  }
  const accounts = "/api/v1/namespaces/dev/serviceaccounts";
  await ask("POST", accounts, { metadata: { name: "bot-7" } });
  const request = JSON.parse(await ask("POST", `${accounts}/bot-7/token`, {})) as { status: { token: string } };
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca: tls.ca });
  const { token } = request.status;
  return { agent, ask: (method, path, body) => send({ agent, port, token }, method, path, body) };
}

/** Does the work `count` times, as many at once as there are connections. */
async function measureWork(
  child: ChildProcess,
  what: string,
  count: number,
  each: (index: number) => Promise<unknown>,
): Promise<ApiMeasure> {
  const before = await usageOf(child);
  const started = performance.now();
  let next = 0;
  const one = async () => {
    while (next < count) await each(next++);
  };
  await Promise.all(Array.from({ length: connections }, one));
  const seconds = (performance.now() - started) / 1000;
  return { what, cpu: ((await usageOf(child)).cpu - before.cpu) / count, rate: count / seconds };
}

/** One Service changes again and again; the measure is of one event at one watcher, the change's own cost shared. */
async function measureWatch(child: ChildProcess, ask: Ask, watching: Watching, how: string): Promise<ApiMeasure> {
  const wanted = watchers * updates;
  let seen = 0;
  let done = () => {};
  const all = new Promise<void>((resolve) => (done = resolve));
  const list = JSON.parse(await ask("GET", `${collection}?limit=1`)) as { metadata: { resourceVersion: string } };
  const path = `${collection}?watch=1&resourceVersion=${list.metadata.resourceVersion}`;
  for (let index = 0; index < watchers; index += 1) {
    const stream = await watching.open(path);
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      // One event a line.
      for (const byte of chunk) if (byte === 10) seen += 1;
      if (seen >= wanted) done();
    });
  }
  const before = await usageOf(child);
  const started = performance.now();
  for (let turn = 0; turn < updates; turn += 1) {
    await ask("PATCH", `${collection}/web-1`, { metadata: { annotations: { round: String(turn) } } });
  }
  await all;
  const seconds = (performance.now() - started) / 1000;
  const cpu = ((await usageOf(child)).cpu - before.cpu) / wanted;
  watching.end();
  return { what: `an event to one of ${watchers} watchers${how}`, cpu, rate: wanted / seconds };
}

interface Watching {
  open(path: string): Promise<NodeJS.ReadableStream>;
  end(): void;
}

function overHttp1({ port, tls }: Place): Watching {
  const agent = new Agent({ keepAlive: true, maxSockets: watchers, ...tls });
  return {
    async open(path) {
      const watch = get({ host: "127.0.0.1", port, path, agent });
      watch.on("error", () => {});
      const [response] = (await once(watch, "response")) as [NodeJS.ReadableStream];
      return response;
    },
    end: () => agent.destroy(),
  };
}

function overHttp2({ port, tls }: Place): Watching {
  const sessions: ClientHttp2Session[] = [];
  let opened = 0;
  return {
    async open(path) {
      if (opened % 100 === 0) {
        const next = connect(`https://127.0.0.1:${port}`, tls);
        next.on("error", () => {});
        await once(next, "remoteSettings");
        sessions.push(next);
      }
      opened += 1;
      const stream = (sessions.at(-1) as ClientHttp2Session).request({ ":path": path });
      await once(stream, "response");
      return stream;
    },
    end() {
      for (const session of sessions) session.destroy();
    },
  };
}

/** Reads an answer to its end. */
async function read(stream: ClientHttp2Stream): Promise<void> {
  stream.resume();
  await once(stream, "end");
}

type Ask = (method: string, path: string, body?: object, asTable?: boolean) => Promise<string>;

function send(
  { agent, port, token }: { agent: Agent; port: number; token?: string },
  method: string,
  path: string,
  body?: object,
  asTable = false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = {
      Accept: asTable ? "application/json;as=Table;v=v1;g=meta.k8s.io" : "application/json",
      ...(body === undefined ? {} : { "Content-Type": type }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    };
    const request = httpsRequest({ host: "127.0.0.1", port, method, path, headers, agent });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 500) < 300) resolve(text);
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`));
      });
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function usageOf(child: ChildProcess): Promise<Usage> {
  child.send("usage");
  const [usage] = (await once(child, "message")) as [Usage];
  return usage;
}

function serviceOf(index: number): object {
  const name = `web-${index}`;
  const labels = { app: name, group: `g${index % (services / 20)}` };
  return { metadata: { name, labels }, spec: { selector: { app: name }, ports: [{ name: "http", port: 80 }] } };
}

/** The side that answers, in its own process. */
async function serve(directory: string): Promise<void> {
  const certificates = await loadCertificates({ directory });
  const store = await openSqliteStore(join(directory, "store.db"));
  const addresses = createServiceIpAllocator({
    families: ["IPv4"],
    client: () => client,
    log: silentLog,
    clock: systemClock,
  });
  const server = await startApiServer({
    store,
    certificates,
    listen: [{ host: "127.0.0.1", port: 0 }],
    admissions: [addresses, createNodePortAllocator()],
  });
  const client = server.localClient({ name: "bench", groups: ["system:masters"] });
  await client.create("ServiceCIDR", { metadata: { name: "kubernetes" }, spec: { cidrs: ["10.96.0.0/12"] } });
  await addresses.open();
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpu: user + system, rss: process.memoryUsage.rss() / 1024 / 1024 } satisfies Usage);
  });
  process.on("disconnect", () => process.exit());
  const { ca, admin } = certificates;
  process.send?.({ port: server.addresses()[0]?.port ?? 0, tls: { ca, ...admin } } satisfies Place);
}

if (import.meta.main && process.send !== undefined && process.argv[2] !== undefined) await serve(process.argv[2]);
else if (import.meta.main) {
  const { measures, memory } = await benchApiServer();
  printTable(
    ["work", "CPU µs each", "each second here"],
    measures.map(({ what, cpu, rate }) => [what, cpu.toFixed(cpu < 100 ? 1 : 0), rate.toFixed(0)]),
  );
  const [fresh, full, end] = [memory.fresh, memory.full, memory.end].map((size) => size.toFixed(0));
  console.log(`memory: ${fresh} MB fresh, ${full} MB with ${services} Services, ${end} MB at the end`);
}
