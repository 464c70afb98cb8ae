import { createServer as createHttpServer, type RequestListener } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { Limits } from "#dataplane/limits.ts";
import type {
  BackendEntry,
  Filter,
  HostEntry,
  PathMatch,
  RetryRules,
  RouteEntry,
  StreamEntry,
  StreamTarget,
  TableChange,
} from "#dataplane/table.ts";
import { defaultRetry } from "#dataplane/retry.ts";
import { startDataplane, type DataplaneOptions, type RunningDataplane } from "#dataplane/workers.ts";

/** Limits in which a test need not wait for seconds. */
export const quick: Partial<Limits> = { tickMs: 10, lingerMs: 200 };

export interface Plane {
  readonly plane: RunningDataplane;
  /** Of the first listener. */
  readonly port: number;
}

/** A data plane in this thread with one plain listener on loopback, ended with the test. */
export async function startPlane(t: TestContext, options: Partial<DataplaneOptions> = {}): Promise<Plane> {
  const plane = await startDataplane({
    listeners: [{ host: "127.0.0.1", port: 0, tls: false }],
    workers: 0,
    log: silentLog,
    clock: systemClock,
    limits: quick,
    ...options,
  });
  t.after(() => plane.stop({ drainMs: 0 }));
  return { plane, port: plane.addresses[0]?.port ?? 0 };
}

export interface RouteSketch {
  readonly match?: PathMatch;
  readonly backend?: string;
  readonly answer?: number;
  readonly filters?: readonly Filter[];
  readonly maxBodyBytes?: number;
  readonly readMs?: number;
  readonly connectMs?: number;
  readonly retry?: Partial<RetryRules>;
  /** Bodies are read whole first, with so much of one in memory. */
  readonly gather?: number;
}

export function route(id: string, sketch: RouteSketch): RouteEntry {
  const { match = { type: "prefix", path: "/" }, backend = "b", answer, filters = [], maxBodyBytes = 0 } = sketch;
  const { readMs = 5000, connectMs = 5000, retry, gather } = sketch;
  return {
    id,
    match,
    filters,
    target: answer === undefined ? { type: "backend", backend } : { type: "answer", status: answer, reason: "told so" },
    timeouts: { connectMs, readMs, sendMs: 5000 },
    maxBodyBytes,
    ...(retry === undefined ? {} : { retry: { ...defaultRetry, ...retry } }),
    ...(gather === undefined ? {} : { gather: { memoryBytes: gather } }),
  };
}

export function host(name: string, routes: readonly RouteEntry[], certificate?: string): readonly [string, HostEntry] {
  return [name, { name, routes, certificate }];
}

export function backend(
  id: string,
  ports: readonly number[],
  more: Partial<BackendEntry> = {},
): readonly [string, BackendEntry] {
  const endpoints = ports.map((port) => ({ address: "127.0.0.1", port }));
  return [id, { id, protocol: "http", balance: "round-robin", endpoints, ...more }];
}

export function change(parts: Partial<TableChange>): TableChange {
  return { hosts: [], backends: [], certificates: [], revision: "1", ...parts };
}

/** One backend `b` on these ports for every host and path. */
export function simple(ports: readonly number[], sketch: RouteSketch = {}): TableChange {
  return change({ hosts: [host("*", [route("all", sketch)])], backends: [backend("b", ports)] });
}

export async function listening(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** An endpoint that speaks HTTP. */
export function httpEndpoint(t: TestContext, listener: RequestListener): Promise<number> {
  return listening(t, createHttpServer({ keepAliveTimeout: 0 }, listener));
}

/** An endpoint that does with its bytes what the test says. */
export function rawEndpoint(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  return listening(t, createServer({ allowHalfOpen: false }, serve));
}

/** An endpoint that answers with the request head it got. */
export function echoEndpoint(t: TestContext, name = ""): Promise<number> {
  return httpEndpoint(t, (request, response) => {
    const fields = request.rawHeaders.map((part, at) => (at % 2 === 0 ? `${part}: ` : `${part}\n`)).join("");
    let body = 0;
    request.on("data", (chunk: Buffer) => (body += chunk.length));
    request.on("end", () => response.end(`${name}${request.method} ${request.url}\n${fields}body ${body}\n`));
  });
}

/** A port on which nothing listens. */
export async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** A connection a test writes bytes to and reads bytes from. */
export class RawClient {
  text = "";
  closed = false;
  readonly socket: Socket;
  private watchers: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.text += bytes.toString("latin1");
      this.wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.wake();
    });
  }

  private wake(): void {
    const { watchers } = this;
    this.watchers = [];
    for (const watcher of watchers) watcher();
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Resolves when what was read matches, or the connection closed. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text) && !this.closed) await new Promise<void>((resolve) => this.watchers.push(resolve));
    return this.text;
  }

  /** Resolves when something more was read, or the connection closed. */
  more(): Promise<void> {
    return this.closed ? Promise.resolve() : new Promise((resolve) => this.watchers.push(resolve));
  }

  async end(): Promise<string> {
    while (!this.closed) await new Promise<void>((resolve) => this.watchers.push(resolve));
    return this.text;
  }
}

export async function dial(t: TestContext, port: number): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1" });
  t.after(() => socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return new RawClient(socket);
}

export interface Reply {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** One request on a connection of its own; the request asks for the connection to close. */
export async function ask(t: TestContext, port: number, line: string, fields: readonly string[] = []): Promise<Reply> {
  const client = await dial(t, port);
  const all = fields.some((field) => /^host:/i.test(field)) ? fields : ["Host: example.com", ...fields];
  client.send(`${line} HTTP/1.1\r\n${[...all, "Connection: close"].join("\r\n")}\r\n\r\n`);
  return replyOf(await client.end());
}

export function replyOf(text: string): Reply {
  const at = text.indexOf("\r\n\r\n");
  return { status: Number(text.slice(9, 12)), head: text.slice(0, at), body: text.slice(at + 4) };
}

/** The value of a field in a head, or `undefined`. */
export function field(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*?)\\r?$`, "im").exec(head)?.[1];
}

export interface OpenStream {
  readonly id: string;
  readonly port: number;
  readonly entry: StreamEntry;
  /** The stream with endpoints at these ports instead. */
  readonly to: (ports: readonly number[]) => TableChange;
}

export type StreamSketch = Partial<StreamTarget> & Pick<StreamEntry, "acceptProxy">;

/** A stream at a port that nobody has, to endpoints at these ports; it is in force. */
export async function openStream(
  plane: RunningDataplane,
  protocol: StreamEntry["protocol"],
  ports: readonly number[],
  { acceptProxy, ...sketch }: StreamSketch = {},
): Promise<OpenStream> {
  const endpointsAt = (list: readonly number[]) => list.map((port) => ({ address: "127.0.0.1", port }));
  const target: StreamTarget = {
    backend: "dev/db:5432",
    endpoints: endpointsAt(ports),
    connectMs: 5000,
    idleMs: 60_000,
    tries: 3,
    ...sketch,
  };
  // Another process may take the port in the moment before we do: then another one.
  for (;;) {
    const port = await deadPort();
    const id = `${protocol}:${port}`;
    const entry: StreamEntry = { id, protocol, port, target, ...(acceptProxy === true ? { acceptProxy } : {}) };
    await plane.apply(change({ streams: [[id, entry]] }));
    if (plane.refusedStreams().has(id)) {
      await plane.apply(change({ streams: [[id, undefined]] }));
      continue;
    }
    const to = (list: readonly number[]) =>
      change({ streams: [[id, { ...entry, target: { ...target, endpoints: endpointsAt(list) } }]] });
    return { id, port, entry, to };
  }
}
