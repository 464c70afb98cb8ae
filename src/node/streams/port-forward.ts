import { spawn } from "node:child_process";
import net from "node:net";
import { Duplex, type Readable, type Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Log } from "#base/log.ts";
import { startSpdy, type SpdyStream } from "./spdy/session.ts";

export const portForwardProtocol = "portforward.k8s.io";
/** The same session inside a WebSocket (KEP-4006). */
export const tunnelProtocol = "SPDY/3.1+portforward.k8s.io";

export interface ForwardTarget {
  readonly address: string;
  readonly netns: string;
}

const dialLimitMs = 10_000;
/** In a checkout the program is its TypeScript; in the published package it stands beside the bundle. */
const relayProgram = import.meta.url.endsWith(".ts") ? "./relay.ts" : "./pod-relay.js";

/**
 * Forwards connections into a pod: for each, the client opens an error and a data stream of one request id. What goes
 * wrong with one connection is written on its error stream and leaves the others alone.
 */
export async function servePortForward(socket: Duplex, target: ForwardTarget, log: Log): Promise<void> {
  const relays: Relays = { running: 0 };
  const pairs = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
  const session = startSpdy(socket, {
    side: "server",
    onStream(stream) {
      const role = stream.headers.get("streamtype");
      const id = stream.headers.get("requestid") ?? "";
      if (role !== "error" && role !== "data") return stream.destroy();
      const pair = pairs.get(id) ?? {};
      pair[role] = stream;
      pairs.set(id, pair);
      stream.once("close", () => {
        if (pairs.get(id) === pair) pairs.delete(id);
      });
      if (pair.error === undefined || pair.data === undefined) return;
      pairs.delete(id);
      void forward(pair.data, pair.error, { ...target, relays }, log);
    },
  });
  await session.closed;
}

/** Programs that carry one connection each run for a session; further ones are refused. */
const relayLimit = 64;

interface Relays {
  running: number;
}

type Target = ForwardTarget & { readonly relays: Relays };

async function forward(data: SpdyStream, error: SpdyStream, target: Target, log: Log): Promise<void> {
  const port = Number(data.headers.get("port"));
  error.resume();
  try {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${data.headers.get("port")} is no port`);
    const connection = await dial(target, port);
    error.end();
    connection.on("error", () => data.destroy());
    data.on("close", () => connection.destroy());
    if (data.destroyed) connection.destroy();
    data.pipe(connection);
    connection.pipe(data);
  } catch (problem) {
    error.end(forwardFailure(port, problem, log));
    data.end();
  }
}

/** What a client is told of a connection that could not be. */
export function forwardFailure(port: number, problem: unknown, log: Log): string {
  log.debug({ port, error: String(problem) }, "a port could not be forwarded");
  return `error forwarding port ${port} to pod: ${(problem as Error).message}`;
}

/** The pod's address first; a program that listens on 127.0.0.1 alone is reached from inside its network. */
export async function dial({ address, netns, relays }: Target, port: number): Promise<Duplex> {
  try {
    return await dialAddress(address, port);
  } catch {
    return dialInside(netns, port, relays);
  }
}

function dialAddress(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, allowHalfOpen: true });
    socket.setTimeout(dialLimitMs, () => socket.destroy(new Error(`connecting to ${host}:${port} timed out`)));
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** A program of ours enters the pod's network and carries one connection; its first byte says that it is connected. */
function dialInside(netns: string, port: number, relays: Relays): Promise<Duplex> {
  if (relays.running >= relayLimit) return Promise.reject(new Error(`${relayLimit} connections are open already`));
  const relay = fileURLToPath(new URL(relayProgram, import.meta.url));
  const child = spawn("nsenter", [`--net=${netns}`, process.execPath, relay, String(port)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  relays.running += 1;
  child.once("close", () => (relays.running -= 1));
  let problem = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (problem += text));
  child.stdin.on("error", () => {});
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => reject(new Error(problem.trim() || "the connection was closed")));
    child.stdout.once("readable", () => {
      if ((child.stdout.read(1) as Buffer | null) === null) return;
      const connection = duplexPair(child.stdout, child.stdin);
      connection.on("close", () => child.kill());
      resolve(connection);
    });
  });
}

/** One stream of two: ends and errors of either side pass through. */
function duplexPair(readable: Readable, writable: Writable): Duplex {
  const pair = new Duplex({
    allowHalfOpen: true,
    read: () => readable.resume(),
    write: (chunk: Buffer, _encoding, done) => void writable.write(chunk, (error) => done(error)),
    final: (done) => void writable.end(() => done()),
  });
  readable.on("data", (chunk: Buffer) => {
    if (!pair.push(chunk)) readable.pause();
  });
  readable.on("end", () => pair.push(null));
  return pair;
}
