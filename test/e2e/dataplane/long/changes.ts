import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type ClientRequest } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import type { TableChange } from "#dataplane/table.ts";
import { bytesOf, hashOf } from "./bytes.ts";
import { backendOf, patientRoute, startEndpointProcess, startPlaneProcess, type EndpointProcess } from "./processes.ts";

/** A connection that stays open, is used now and then, and is ended in good order. All reject when it is broken. */
interface Held {
  readonly kind: "idle" | "WebSocket" | "upload" | "gRPC";
  use(): Promise<void>;
  end(): Promise<void>;
}

/** Rejects when the connection is over before it was meant to be. */
function guardOf(
  kind: Held["kind"],
  emitter: NodeJS.EventEmitter,
): { readonly race: <T>(wanted: Promise<T>) => Promise<T> } {
  const broken = new Promise<never>((_, reject) => {
    emitter.on("error", (error: unknown) => reject(new Error(`${kind}: ${String(error)}`)));
    emitter.on("close", () => reject(new Error(`${kind}: closed`)));
  });
  broken.catch(() => {});
  return { race: (wanted) => Promise.race([wanted, broken]) };
}

async function holdIdle(port: number): Promise<Held> {
  const socket: Socket = connect(port, "127.0.0.1");
  const { race } = guardOf("idle", socket);
  await race(once(socket, "connect"));
  const use = async () => {
    socket.write("GET /name HTTP/1.1\r\nHost: held\r\n\r\n");
    let text = "";
    while (!/\r\n\r\n[^]*end$/.test(text)) text += String((await race(once(socket, "data")))[0]);
    assert.match(text, /^HTTP\/1\.1 200 /);
  };
  await use();
  return {
    kind: "idle",
    use,
    async end() {
      await use();
      socket.destroy();
    },
  };
}

async function holdWebSocket(port: number): Promise<Held> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { Host: "held" }, perMessageDeflate: false });
  const { race } = guardOf("WebSocket", socket);
  await race(once(socket, "open"));
  let said = 0;
  const use = async () => {
    said += 1;
    socket.send(`message ${said}`);
    const [heard] = (await race(once(socket, "message"))) as [Buffer];
    assert.equal(heard.toString(), `message ${said}`);
  };
  return {
    kind: "WebSocket",
    use,
    async end() {
      await use();
      const closed = once(socket, "close");
      socket.close(1000);
      assert.equal((await closed)[0], 1000);
    },
  };
}

async function holdUpload(port: number, seed: number): Promise<Held> {
  const options = { port, host: "127.0.0.1", method: "POST", path: "/hash", headers: { Host: "held" }, agent: false };
  const upload: ClientRequest = request(options);
  const { race } = guardOf("upload", upload);
  const whole = bytesOf(String(seed), 64 * 1024);
  let at = 0;
  const use = async () => {
    const part = whole.subarray(at, Math.min(at + 512, whole.length));
    at += part.length;
    await race(new Promise<void>((resolve) => upload.write(part, () => resolve())));
  };
  upload.flushHeaders();
  return {
    kind: "upload",
    use,
    async end() {
      upload.end(whole.subarray(at));
      const [response] = (await race(once(upload, "response"))) as [NodeJS.ReadableStream];
      let answer = "";
      for await (const bytes of response) answer += String(bytes);
      assert.equal(answer, hashOf(whole));
    },
  };
}

async function holdStream(port: number): Promise<Held> {
  const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${port}`);
  guardOf("gRPC", session);
  const stream: ClientHttp2Stream = session.request({
    ":method": "POST",
    ":path": "/echo.Echo/Talk",
    ":authority": "grpc",
    "content-type": "application/grpc",
    te: "trailers",
  });
  const { race } = guardOf("gRPC", stream);
  const [head] = (await race(once(stream, "response"))) as [Record<string, unknown>];
  assert.equal(head[":status"], 200);
  let said = 0;
  const use = async () => {
    said += 1;
    const text = `message ${said};`;
    stream.write(text);
    let heard = "";
    while (heard.length < text.length) heard += String((await race(once(stream, "data")))[0]);
    assert.equal(heard, text);
  };
  return {
    kind: "gRPC",
    use,
    async end() {
      await use();
      const trailers = once(stream, "trailers");
      stream.resume().end();
      assert.equal(((await race(trailers))[0] as Record<string, unknown>)["grpc-status"], "0");
      session.destroy();
    },
  };
}

/** Of ten connections: four idle ones, three WebSockets, one gRPC stream and two uploads. */
function hold(index: number, port: number): Promise<Held> {
  const turn = index % 10;
  if (turn < 4) return holdIdle(port);
  if (turn < 7) return holdWebSocket(port);
  return turn === 7 ? holdStream(port) : holdUpload(port, index);
}

/** So many at once, each done in its turn. */
async function inTurn<T>(count: number, atOnce: number, run: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(atOnce, count) }, async () => {
      for (let index = next++; index < count; index = next++) results[index] = await run(index);
    }),
  );
  return results;
}

/** The answer to a fresh request to `probe`. */
async function probe(port: number): Promise<{ readonly name: string; readonly version: string }> {
  const options = { port, host: "127.0.0.1", path: "/name", headers: { Host: "probe" }, agent: false };
  const asked = request(options).end();
  const [response] = (await once(asked, "response")) as [NodeJS.ReadableStream & { headers: Record<string, string> }];
  let name = "";
  for await (const bytes of response) name += String(bytes);
  return { name, version: response.headers["x-version"] ?? "" };
}

/** Change number `turn`: everything that serves the held connections is replaced, and `probe` answers anew. */
function changeOf(turn: number, endpoints: readonly EndpointProcess[]): TableChange {
  const chosen = endpoints.filter((_, index) => index === turn % endpoints.length);
  const version = ["X-Version", String(turn)] as const;
  const filters = [{ type: "response-headers", set: [version] }] as const;
  return {
    hosts: [
      ["held", { name: "held", routes: [patientRoute(`held-${turn % 3}`, "held")] }],
      ["grpc", { name: "grpc", routes: [patientRoute(`grpc-${turn % 3}`, "grpc")] }],
      ["probe", { name: "probe", routes: [{ ...patientRoute("probe", "probe"), filters }] }],
      [`h${turn}.test`, { name: `h${turn}.test`, routes: [patientRoute(`h${turn}`, "held")] }],
      [`h${turn - 5}.test`, undefined],
    ],
    backends: [backendOf("held", chosen), backendOf("grpc", chosen, "h2"), backendOf("probe", chosen)],
    certificates: [],
    revision: String(turn),
  };
}

export interface ChangesReport {
  readonly connections: number;
  readonly changes: number;
  readonly uses: number;
}

/**
 * So many table changes during so many open connections: none is broken, each change holds for the next request. Rejects
 * with what went wrong first.
 */
export async function runChanges(connections: number, changes: number): Promise<ChangesReport> {
  const endpoints = await Promise.all(["first-end", "second-end"].map(startEndpointProcess));
  const plane = await startPlaneProcess();
  try {
    await plane.apply(changeOf(0, endpoints));
    const [port = 0] = (await plane.facts()).ports;
    const held = await inTurn(connections, 50, (index) => hold(index, port));
    let uses = 0;
    const perChange = Math.ceil((2 * connections) / changes);
    for (let turn = 1; turn <= changes; turn += 1) {
      const applied = plane.apply(changeOf(turn, endpoints));
      // Used before, during and after the change.
      const used = Array.from({ length: perChange }, (_, at) => held[(turn * perChange + at) % held.length]);
      await Promise.all(used.map(async (one) => one?.use()));
      uses += used.length;
      await applied;
      const { name, version } = await probe(port);
      assert.equal(version, String(turn), `change ${turn} was in force`);
      assert.equal(name, endpoints[turn % endpoints.length]?.name);
    }
    assert.ok((await plane.facts()).clients >= connections, "all connections are still there");
    await inTurn(held.length, 50, async (index) => held[index]?.end());
    const { failures, faults } = await plane.facts();
    assert.deepEqual([failures, faults], [[], []]);
    return { connections, changes, uses };
  } finally {
    await plane.stop();
    for (const endpoint of endpoints) await endpoint.stop();
  }
}
