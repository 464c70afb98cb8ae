import assert from "node:assert/strict";
import { once } from "node:events";
import { request as requestPlain, type ClientRequest, type IncomingMessage } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { request as requestTls } from "node:https";
import { connect } from "node:net";
import { TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import type { TableChange } from "#dataplane/table.ts";
import { makePair } from "../../../fakes/certificate.ts";
import { bytesOf, hashOf } from "./bytes.ts";
import type { PlaneFacts } from "./plane-process.ts";
import { backendOf, patientRoute, startEndpointProcess, startPlaneProcess, type EndpointProcess } from "./processes.ts";

// Traffic as the worst of clients make it: they read and write slowly, leave in the middle, close half of a connection.
// Whatever is answered whole must be right to the last byte, and when all have left nothing of them may be left.

interface Ports {
  readonly plain: number;
  readonly tls: number;
}

const pick = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)] as T;
const chance = (of: number) => Math.random() < of;
const sizes = [0, 1, 100, 4_000, 16_384, 16_385, 70_000, 300_000, 2_000_000];
/** A client that takes its time, as a phone in a train does. */
const dawdle = () => new Promise<void>((resolve) => setTimeout(resolve, Math.random() * 10));

/** Resolves when it is closed, for whatever reason. */
const closeOf = (emitter: NodeJS.EventEmitter) =>
  new Promise<void>((resolve) => emitter.once("close", () => resolve()));

function ask({ plain, tls }: Ports, method: string, path: string): ClientRequest {
  const options = {
    method,
    path,
    host: "127.0.0.1",
    headers: { Host: "soak" },
    agent: false,
    rejectUnauthorized: false,
  };
  return chance(0.4)
    ? requestTls({ ...options, port: tls, servername: "soak" })
    : requestPlain({ ...options, port: plain });
}

async function responseOf(asked: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  return response;
}

/** Reads to the end, now and then with a rest. */
async function readSlowly(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) {
    parts.push(part as Buffer);
    if (chance(0.05)) await dawdle();
  }
  return Buffer.concat(parts);
}

async function writeSlowly(asked: NodeJS.WritableStream, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + Math.floor(Math.random() * 100_000);
    if (!asked.write(bytes.subarray(at, end))) await once(asked, "drain");
    at = end;
    if (chance(0.05)) await dawdle();
  }
  asked.end();
}

async function download(ports: Ports): Promise<void> {
  const [seed, size] = [Math.floor(Math.random() * 1e6), pick(sizes)];
  const asked = ask(ports, "GET", `/bytes/${seed}/${size}`);
  asked.end();
  const bytes = await readSlowly(await responseOf(asked));
  assert.equal(hashOf(bytes), hashOf(bytesOf(String(seed), size)), `${size} bytes down`);
}

async function upload(ports: Ports): Promise<void> {
  const bytes = bytesOf(String(Math.random()), pick(sizes));
  const asked = ask(ports, "POST", "/hash");
  const response = responseOf(asked);
  await writeSlowly(asked, bytes);
  assert.equal(String(await readSlowly(await response)), hashOf(bytes), `${bytes.length} bytes up`);
}

async function echo(ports: Ports): Promise<void> {
  const bytes = bytesOf(String(Math.random()), pick(sizes));
  const asked = ask(ports, "POST", "/echo");
  const response = responseOf(asked);
  const [back] = await Promise.all([response.then(readSlowly), writeSlowly(asked, bytes)]);
  assert.equal(hashOf(back), hashOf(bytes), `${bytes.length} bytes both ways`);
}

/** Leaves in the middle of its request, of its answer, or before either. */
async function reset(ports: Ports): Promise<void> {
  const asked = ask(ports, chance(0.5) ? "POST" : "GET", pick(["/echo", "/hash", "/bytes/1/2000000"]));
  const closed = closeOf(asked);
  asked.on("error", () => {});
  asked.on("response", (response) => {
    response.on("error", () => {});
    response.once("data", () => asked.destroy());
  });
  asked.write(bytesOf("x", pick(sizes)));
  if (chance(0.5)) asked.end();
  if (chance(0.5)) await dawdle();
  const { socket } = asked;
  if (chance(0.7) && !(socket instanceof TLSSocket)) socket?.resetAndDestroy();
  asked.destroy();
  await closed;
}

/** Says all it has to say and closes its half: it is taken for gone, and gets a whole answer or an end. */
async function halfClose({ plain }: Ports): Promise<void> {
  const socket = connect({ port: plain, host: "127.0.0.1", allowHalfOpen: true });
  const closed = closeOf(socket);
  socket.on("error", () => {});
  socket.resume();
  socket.end(pick(["GET /bytes/2/300000 HTTP/1.1\r\nHost: soak\r\n\r\n", "POST /echo HTTP/1.1\r\nHost: soak\r\n", ""]));
  await closed;
}

async function webSocket({ plain }: Ports): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${plain}/`, { headers: { Host: "soak" }, perMessageDeflate: false });
  await once(socket, "open");
  for (let count = 0; count < 5; count += 1) {
    const bytes = bytesOf(String(count), pick(sizes));
    socket.send(bytes);
    const [heard] = (await once(socket, "message")) as [Buffer];
    assert.equal(hashOf(heard), hashOf(bytes), `${bytes.length} bytes by WebSocket`);
  }
  const closed = closeOf(socket);
  if (chance(0.5)) socket.terminate();
  else socket.close();
  await closed;
}

async function oneStream(session: ClientHttp2Session): Promise<void> {
  const bytes = bytesOf(String(Math.random()), pick(sizes));
  const stream = session.request({ ":method": "POST", ":path": "/echo", ":authority": "soak" });
  if (chance(0.2)) {
    const closed = closeOf(stream);
    stream.on("error", () => {});
    stream.write(bytes.subarray(0, 1000));
    stream.close(8);
    await closed;
    return;
  }
  const response = once(stream, "response");
  const [[head], back] = await Promise.all([response, readSlowly(stream), writeSlowly(stream, bytes)]);
  assert.equal((head as Record<string, unknown>)[":status"], 200);
  assert.equal(hashOf(back), hashOf(bytes), `${bytes.length} bytes by HTTP/2`);
}

async function streams({ plain, tls }: Ports): Promise<void> {
  const url = chance(0.5) ? `https://127.0.0.1:${tls}` : `http://127.0.0.1:${plain}`;
  const session = connectHttp2(url, { rejectUnauthorized: false, servername: "soak" });
  session.on("error", () => {});
  const closed = closeOf(session);
  await Promise.all(Array.from({ length: 4 }, () => oneStream(session)));
  if (chance(0.5)) session.close();
  else session.destroy();
  await closed;
}

const clients = { download, upload, echo, reset, halfClose, webSocket, streams };

async function tableOf(endpoint: EndpointProcess): Promise<TableChange> {
  const { cert, key } = await makePair("soak");
  return {
    hosts: [["soak", { name: "soak", routes: [patientRoute("soak", "soak")] }]],
    backends: [backendOf("soak", [endpoint])],
    certificates: [["soak", { id: "soak", cert, key }]],
    defaultCertificate: "soak",
    revision: "1",
  };
}

export interface SoakReport {
  readonly served: Readonly<Record<string, number>>;
  /** Resident memory of the data plane at a quarter of the time, and at its end. */
  readonly rssMegabytes: readonly [quarter: number, end: number];
  readonly requests: number;
}

const megabytes = (bytes: number) => Math.round(bytes / 1e6);

/**
 * So many clients for so many seconds, each of a random kind, one behind the other. Rejects when a byte was wrong, when
 * anything of theirs is left in the end, or when memory grew on and on.
 */
export async function runSoak(seconds: number, atOnce: number): Promise<SoakReport> {
  const endpoint = await startEndpointProcess("soak");
  const plane = await startPlaneProcess();
  try {
    const change = await tableOf(endpoint);
    await plane.apply(change);
    const before = await plane.facts();
    const [plain = 0, tls = 0] = before.ports;
    const served: Record<string, number> = {};
    const until = performance.now() + seconds * 1000;
    let quarter: PlaneFacts | undefined;
    const problems: string[] = [];
    const run = async () => {
      while (performance.now() < until && problems.length === 0) {
        const [kind, client] = pick(Object.entries(clients));
        try {
          await client({ plain, tls });
        } catch (error) {
          problems.push(`${kind}: ${String(error)}`);
        }
        served[kind] = (served[kind] ?? 0) + 1;
        if (performance.now() > until - seconds * 750) quarter ??= await plane.facts();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, run));
    if (problems.length > 0) {
      const { failures, faults } = await plane.facts();
      throw new Error(
        `${problems.join("; ")}; the data plane says: ${[...failures, ...faults].join(", ") || "nothing"}`,
      );
    }
    const end = await plane.facts();
    // Without the backend its idle connections go too.
    await plane.apply({ ...change, hosts: [["soak", undefined]], backends: [["soak", undefined]], certificates: [] });
    const after = await settled(plane, before);
    assert.deepEqual(after.faults, []);
    assert.deepEqual([after.clients, after.underWay], [0, 0], "nothing is left open");
    assert.ok(after.sockets <= before.sockets, `${after.sockets} descriptors are left of ${before.sockets}`);
    const rssMegabytes = [megabytes(quarter?.rssBytes ?? 0), megabytes(end.rssBytes)] as const;
    const most = rssMegabytes[0] * 1.25 + 100;
    assert.ok(rssMegabytes[1] < most, `memory grew from ${rssMegabytes[0]} to ${rssMegabytes[1]} MB`);
    return { served, rssMegabytes, requests: end.requests };
  } finally {
    await plane.stop();
    await endpoint.stop();
  }
}

/** The facts once all connections are closed, or after a minute of waiting for that. */
async function settled(plane: { facts(): Promise<PlaneFacts> }, before: PlaneFacts): Promise<PlaneFacts> {
  const until = performance.now() + 60_000;
  for (;;) {
    const facts = await plane.facts();
    const isClean = facts.clients === 0 && facts.underWay === 0 && facts.sockets <= before.sockets;
    if (isClean || performance.now() > until) return facts;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
