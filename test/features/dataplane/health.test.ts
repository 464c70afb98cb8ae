import assert from "node:assert/strict";
import { createServer as createHttp2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { test, type TestContext } from "node:test";
import { silentLog } from "#base/log.ts";
import { HealthChecker } from "#dataplane/health/checker.ts";
import { probe, type Asked, type Heard } from "#dataplane/health/probe.ts";
import type { BackendEntry, HealthCheck, TableChange } from "#dataplane/table.ts";
import { systemClock } from "#base/clock.ts";
import { createLookup } from "#dataplane/transport/lookup.ts";
import { manualClock, type ManualClock } from "../../fakes/clock.ts";
import {
  ask,
  backend,
  change,
  deadPort,
  host,
  httpEndpoint,
  listening,
  rawEndpoint,
  route,
  startPlane,
} from "./harness.ts";

const usual: HealthCheck = { type: "http", intervalMs: 1000, timeoutMs: 300, healthy: 2, unhealthy: 3 };

/** A checker whose endpoints say what the test lets them say, at times that the test chooses. */
class World {
  readonly clock: ManualClock = manualClock();
  /** By port: what is wrong with it, `undefined` for nothing, `silent` for no answer. */
  readonly problems = new Map<number, string | undefined>();
  readonly changes: string[] = [];
  asked = 0;
  givenUp = 0;
  readonly checker = new HealthChecker({
    clock: this.clock,
    log: silentLog,
    lookup: createLookup(),
    random: () => 0.5,
    probe: (asked, heard) => this.answer(asked, heard),
    changed: (made) => this.changes.push(...downIn(made)),
  });

  private answer({ endpoint }: Asked, heard: Heard): () => void {
    this.asked += 1;
    const problem = this.problems.get(endpoint.port);
    // As a real one does: an answer comes later than the question.
    const cancel = problem === "silent" ? () => {} : this.clock.after(1, () => heard(problem));
    return () => {
      this.givenUp += 1;
      cancel();
    };
  }

  mark(entry: BackendEntry | undefined): string[] {
    return downIn(this.checker.mark(change({ backends: [["b", entry]] })));
  }
}

function downIn({ backends }: TableChange): string[] {
  return backends.map(([id, entry]) => {
    const down = entry?.endpoints.filter(({ isDown }) => isDown).map(({ port }) => port) ?? [];
    return `${id} down: ${down.join(" ") || "none"}`;
  });
}

const entryOf = (ports: readonly number[], check: HealthCheck = usual) => backend("b", ports, { check })[1];

test("an endpoint is out after so many bad answers in a row, and in again after so many good ones", () => {
  const world = new World();
  assert.deepEqual(world.mark(entryOf([1, 2])), ["b down: none"]);
  world.problems.set(2, "refused");
  // Asked at 500, 1501 and 2502.
  world.clock.advance(2000);
  assert.deepEqual(world.changes, []);
  world.clock.advance(1000);
  assert.deepEqual(world.changes, ["b down: 2"]);
  world.problems.delete(2);
  world.clock.advance(1000);
  world.problems.set(2, "refused");
  world.clock.advance(1000);
  world.problems.delete(2);
  world.clock.advance(1000);
  assert.deepEqual(world.changes, ["b down: 2"]);
  world.clock.advance(1000);
  assert.deepEqual(world.changes, ["b down: 2", "b down: none"]);
});

test("no answer in time is a bad one, and the question is given up", () => {
  const world = new World();
  world.problems.set(1, "silent");
  world.mark(entryOf([1]));
  world.clock.advance(10_000);
  assert.deepEqual(world.changes, ["b down: 1"]);
  assert.equal(world.asked, world.givenUp);
});

test("what is known stays when other endpoints come and go, and is forgotten with the endpoint", () => {
  const world = new World();
  world.problems.set(2, "refused");
  world.mark(entryOf([1, 2]));
  world.clock.advance(5000);
  assert.deepEqual(world.mark(entryOf([2, 3])), ["b down: 2"]);
  assert.deepEqual(world.mark(entryOf([3])), ["b down: none"]);
  assert.deepEqual(world.mark(entryOf([2, 3])), ["b down: none"]);
});

test("nothing is asked without a check, nor after the backend has gone or the checker ended", () => {
  const world = new World();
  world.mark(backend("b", [1])[1]);
  assert.equal(world.clock.pending(), 0);
  world.mark(entryOf([1]));
  assert.equal(world.clock.pending(), 1);
  world.mark(undefined);
  assert.equal(world.clock.pending(), 0);
  world.mark(entryOf([1, 2]));
  world.clock.advance(600);
  world.checker.stop();
  assert.equal(world.clock.pending(), 0);
});

test("another interval takes effect at once and keeps what is known", () => {
  const world = new World();
  world.problems.set(1, "refused");
  world.mark(entryOf([1, 2]));
  world.clock.advance(5000);
  const before = world.asked;
  assert.deepEqual(world.mark(entryOf([1, 2], { ...usual, intervalMs: 100 })), ["b down: 1"]);
  world.clock.advance(1000);
  assert.ok(world.asked >= before + 16, String(world.asked - before));
});

/** What a real question hears. */
function hear(port: number, check: Partial<HealthCheck>, protocol: BackendEntry["protocol"] = "http"): Promise<string> {
  const endpoint = { address: "127.0.0.1", port };
  const asked: Asked = {
    endpoint,
    protocol,
    serverName: undefined,
    check: { ...usual, ...check },
    lookup: createLookup(),
  };
  return new Promise((resolve) => void probe(asked, (problem) => resolve(problem ?? "well")));
}

test("by TCP: a connection that is taken is well", async (t) => {
  assert.equal(await hear(await rawEndpoint(t, () => {}), { type: "tcp" }), "well");
  assert.equal(await hear(await deadPort(), { type: "tcp" }), "refused");
});

test("by HTTP: 200 to 399 is well; path and Host are those of the check", async (t) => {
  const seen: string[] = [];
  const port = await httpEndpoint(t, (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.host}`);
    response.writeHead(Number(request.url?.slice(1)) || 200).end();
  });
  assert.equal(await hear(port, {}), "well");
  assert.equal(await hear(port, { path: "/302" }), "well");
  assert.equal(await hear(port, { path: "/503", host: "a.example" }), "answered 503");
  assert.deepEqual(seen, [`GET / 127.0.0.1:${port}`, `GET /302 127.0.0.1:${port}`, "GET /503 a.example"]);
  assert.equal(await hear(await deadPort(), {}), "refused");
  assert.match(await hear(port, { path: "/a\r\nb" }), /^cannot be asked: /);
  assert.match(await hear(await rawEndpoint(t, (socket) => void socket.end("nonsense\r\n\r\n")), {}), /./);
});

/** A gRPC server whose health service answers so. */
async function grpcEndpoint(t: TestContext, answer: Buffer | undefined, status: string): Promise<number> {
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream, fields: IncomingHttpHeaders) => {
    if (fields[":path"] !== "/grpc.health.v1.Health/Check") {
      stream.respond({ ":status": 200 });
      stream.end();
      return;
    }
    if (answer === undefined) {
      stream.respond(
        { ":status": 200, "content-type": "application/grpc", "grpc-status": status },
        { endStream: true },
      );
      return;
    }
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
    stream.end(answer);
  });
  return listening(t, server);
}

test("by gRPC: SERVING is well, and nothing else is", async (t) => {
  const message = (status: number) => Buffer.from([0, 0, 0, 0, 2, 0x08, status]);
  const check = { type: "grpc", path: "shop.Cart" } as const;
  assert.equal(await hear(await grpcEndpoint(t, message(1), "0"), check, "h2"), "well");
  assert.equal(await hear(await grpcEndpoint(t, message(2), "0"), check, "h2"), "says that it does not serve");
  assert.equal(await hear(await grpcEndpoint(t, undefined, "12"), check, "h2"), "answered with gRPC status 12");
  assert.equal(await hear(await deadPort(), check, "h2"), "refused");
});

test("by HTTP of an endpoint that speaks HTTP/2 only", async (t) => {
  assert.equal(await hear(await grpcEndpoint(t, undefined, "0"), { path: "/x" }, "h2"), "well");
});

const fast: HealthCheck = {
  type: "http",
  path: "/health",
  intervalMs: 20,
  timeoutMs: 10_000,
  healthy: 1,
  unhealthy: 1,
};

/** Serves everything but its health check. */
async function sickEndpoint(t: TestContext, isSick: () => boolean): Promise<number> {
  return httpEndpoint(t, (request, response) => {
    response.writeHead(request.url === "/health" && isSick() ? 500 : 200).end("from the sick one");
  });
}

test("an endpoint that fails its check gets no requests, and gets them again when it is well", async (t) => {
  let sick = true;
  const logged: string[] = [];
  const write = (_fields: object, message: string) => void logged.push(message);
  const log = { debug() {}, info: write, warn: write, error: write, child: () => log };
  const { plane, port } = await startPlane(t, { log });
  const ports = [await sickEndpoint(t, () => sick), await httpEndpoint(t, (_, response) => response.end("well"))];
  const backends = [backend("b", ports, { check: fast })];
  await plane.apply(change({ hosts: [host("*", [route("r", {})])], backends }));
  const until = async (message: string) => {
    while (!logged.includes(message)) await new Promise((resolve) => setImmediate(resolve));
  };
  const bodies = async () => {
    const seen = new Set<string>();
    for (let count = 0; count < 6; count += 1)
      seen.add((await ask(t, port, "GET /")).body.replace(/^.*\r\n(.*)\r\n0\r\n\r\n$/s, "$1"));
    return [...seen].sort();
  };
  await until("an endpoint fails its health check and gets no requests");
  assert.deepEqual(await bodies(), ["well"]);
  sick = false;
  await until("an endpoint passes its health check again");
  assert.deepEqual(await bodies(), ["from the sick one", "well"]);
});

test("when less than half of the endpoints are well, all are used", async (t) => {
  const logged: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void logged.push(message), child: () => log };
  const { plane, port } = await startPlane(t, { log });
  const ports = [await sickEndpoint(t, () => true)];
  await plane.apply(change({ hosts: [host("*", [route("r", {})])], backends: [backend("b", ports, { check: fast })] }));
  while (logged.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await ask(t, port, "GET /")).status, 200);
});

test("one asks for all workers, and all of them know the answer", async (t) => {
  let asked = 0;
  const sick = await httpEndpoint(t, (request, response) => {
    if (request.url === "/health") asked += 1;
    response.writeHead(request.url === "/health" ? 500 : 200).end("sick");
  });
  const well = await httpEndpoint(t, (_, response) => response.end("well"));
  const manual = manualClock();
  const clock = {
    ...manual,
    after: (ms: number, call: () => void) => (ms === 0 ? systemClock : manual).after(ms, call),
  };
  const logged: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void logged.push(message), child: () => log };
  const { plane, port } = await startPlane(t, { workers: 2, clock, log });
  const check: HealthCheck = { ...fast, intervalMs: 1000 };
  const backends = [backend("b", [sick, well], { check })];
  await plane.apply(change({ hosts: [host("*", [route("r", {})])], backends }));
  manual.advance(1001);
  while (logged.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // Whatever the workers are told now, they are told after what was found out.
  await plane.apply(change({}));
  for (let count = 0; count < 20; count += 1) assert.match((await ask(t, port, "GET /")).body, /well/);
  assert.equal(asked, 1);
});
