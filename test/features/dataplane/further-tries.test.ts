import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { systemClock, type Clock } from "#base/clock.ts";
import { RetryBudget } from "#dataplane/pool/retry-budget.ts";
import { renderFailure } from "#dataplane/failures.ts";
import type { RetryRules } from "#dataplane/table.ts";
import { manualClock, type ManualClock } from "../../fakes/clock.ts";
import { ask, backend, change, dial, host, httpEndpoint, rawEndpoint, replyOf, route, startPlane } from "./harness.ts";
import type { Plane } from "./harness.ts";

/** A plane whose first request goes to the first of these ports. */
async function start(
  t: TestContext,
  ports: readonly number[],
  retry: Partial<RetryRules> = {},
  clock?: Clock,
): Promise<Plane> {
  const started = await startPlane(t, clock === undefined ? {} : { clock });
  const hosts = [host("*", [route("r", { retry, maxBodyBytes: 0 })])];
  await started.plane.apply(change({ hosts, backends: [backend("b", ports)] }));
  return started;
}

async function reasons({ plane }: Plane): Promise<string[]> {
  return (await plane.failures()).map((failure) => `${failure.reason} -> ${failure.status}`);
}

/** Time that the test moves; only ending is not held up. */
function testClock(): { clock: Clock; manual: ManualClock } {
  const manual = manualClock();
  const after: Clock["after"] = (ms, callback) => (ms === 0 ? systemClock : manual).after(ms, callback);
  return { clock: { ...manual, after }, manual };
}

/** Says nothing; tells when it was asked. */
async function silentEndpoint(t: TestContext): Promise<{ port: number; asked: Promise<unknown> }> {
  const asked = Promise.withResolvers<void>();
  const port = await rawEndpoint(t, (socket) => void socket.on("data", () => asked.resolve()));
  return { port, asked: asked.promise };
}

function statusEndpoint(t: TestContext, statuses: number[], seen: string[] = []): Promise<number> {
  return httpEndpoint(t, (request, response) => {
    seen.push(`${request.method}`);
    const status = statuses.shift() ?? 200;
    request.resume().on("end", () => response.writeHead(status, { "Content-Length": 4 }).end("done"));
  });
}

/** Closes the connection once so many bytes of a body came. */
function closingEndpoint(t: TestContext, afterBytes: number): Promise<number> {
  return rawEndpoint(t, (socket: Socket) => {
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      const at = text.indexOf("\r\n\r\n");
      if (at >= 0 && text.length - at - 4 >= afterBytes) socket.destroy();
    });
  });
}

/** Answers with the length of the body and how it was framed. */
function countingEndpoint(t: TestContext): Promise<number> {
  return httpEndpoint(t, (request: IncomingMessage, response: ServerResponse) => {
    let length = 0;
    request.on("data", (chunk: Buffer) => (length += chunk.length));
    request.on("end", () => response.end(`got ${length} ${request.headers["transfer-encoding"] ?? "plain"}`));
  });
}

for (const [method, on, expected] of [
  ["GET", ["error", "timeout"], 200],
  ["DELETE", ["error", "timeout"], 200],
  ["POST", ["error", "timeout"], 504],
  ["PATCH", ["error", "timeout"], 504],
  ["UNHEARD-OF", ["error", "timeout"], 504],
  ["POST", ["timeout", "non_idempotent"], 200],
  ["GET", ["error"], 504],
  ["GET", [], 504],
] as const) {
  test(`${method} without an answer in time, with ${on.join(" ") || "off"}: ${expected}`, async (t) => {
    const { clock, manual } = testClock();
    const silent = await silentEndpoint(t);
    const started = await start(t, [silent.port, await statusEndpoint(t, [])], { on }, clock);
    const reply = ask(t, started.port, `${method} /`, ["Content-Length: 0"]);
    await silent.asked;
    manual.advance(6000);
    assert.equal((await reply).status, expected);
    assert.deepEqual(await reasons(started), [`no answer in time -> ${expected === 200 ? 0 : 504}`]);
  });
}

test("no further endpoint is tried when the time for it is over", async (t) => {
  const { clock, manual } = testClock();
  const endpoints = [await silentEndpoint(t), await silentEndpoint(t), await silentEndpoint(t)];
  const ports = endpoints.map(({ port }) => port);
  const started = await start(t, ports, { withinMs: 6000 }, clock);
  const reply = ask(t, started.port, "GET /");
  for (const { asked } of endpoints.slice(0, 2)) {
    await asked;
    manual.advance(5500);
  }
  assert.equal((await reply).status, 504);
  assert.deepEqual(await reasons(started), ["no answer in time -> 0", "no answer in time -> 504"]);
});

test("a connection that was closed is no reason where only timeouts are", async (t) => {
  const closing = await rawEndpoint(t, (socket) => socket.destroy());
  const started = await start(t, [closing, await statusEndpoint(t, [])], { on: ["timeout"] });
  assert.equal((await ask(t, started.port, "GET /")).status, 502);
});

test("an answer that is none goes elsewhere with invalid_header only", async (t) => {
  const broken = () => rawEndpoint(t, (socket) => void socket.once("data", () => socket.end("nonsense\r\n\r\n")));
  const good = await statusEndpoint(t, []);
  const strict = await start(t, [await broken(), good]);
  assert.equal((await ask(t, strict.port, "GET /")).status, 502);
  const lenient = await start(t, [await broken(), good], { on: ["invalid_header"] });
  assert.equal((await ask(t, lenient.port, "GET /")).status, 200);
});

test("a status that the rules name goes to another endpoint; the last answer is the client's", async (t) => {
  const seen: string[] = [];
  const started = await start(
    t,
    [await statusEndpoint(t, [503], seen), await statusEndpoint(t, [429], seen), await statusEndpoint(t, [], seen)],
    { on: ["http_503", "http_429"] },
  );
  const reply = await ask(t, started.port, "GET /");
  assert.deepEqual([reply.status, reply.body], [200, "done"]);
  assert.deepEqual(await reasons(started), ["answered 503 -> 0", "answered 429 -> 0"]);
  assert.equal(seen.length, 3);
});

test("a single endpoint is asked again for a status that the rules name, up to the tries", async (t) => {
  const seen: string[] = [];
  const started = await start(t, [await statusEndpoint(t, [503, 503], seen)], { on: ["http_503"] });
  const put = async (port: number) => (await ask(t, port, "PUT /", ["Content-Length: 0"])).status;
  assert.equal(await put(started.port), 200);
  assert.equal(seen.length, 3);
  const failing = await start(t, [await statusEndpoint(t, [503, 503, 503])], { on: ["http_503"] });
  assert.equal(await put(failing.port), 503);
});

test("a POST goes elsewhere for a status only with non_idempotent", async (t) => {
  for (const [on, expected] of [
    [["http_500"], 500],
    [["http_500", "non_idempotent"], 200],
  ] as const) {
    const { port } = await start(t, [await statusEndpoint(t, [500]), await statusEndpoint(t, [])], { on });
    assert.equal((await ask(t, port, "POST /", ["Content-Length: 0"])).status, expected);
  }
});

test("a body that was sent is sent again, whole, however it came", async (t) => {
  const { port } = await start(t, [await closingEndpoint(t, 100_000), await countingEndpoint(t)]);
  const client = await dial(t, port);
  const body = "x".repeat(200_000);
  client.send(`PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  assert.equal(replyOf(await client.end()).body, "got 200000 plain");
});

test("a chunked body is sent again with its chunks", async (t) => {
  const { port } = await start(t, [await closingEndpoint(t, 20_000), await countingEndpoint(t)]);
  const client = await dial(t, port);
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (let count = 0; count < 5; count += 1) client.send(`1388\r\n${"x".repeat(5000)}\r\n`);
  client.send("0\r\nX-Trailer: 1\r\n\r\n");
  assert.match(await client.end(), /got 25000 chunked/);
});

test("what comes after the endpoint failed goes to the next one, behind what was kept", async (t) => {
  const { plane, port } = await start(t, [await closingEndpoint(t, 10), await countingEndpoint(t)]);
  const client = await dial(t, port);
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 20\r\n\r\n");
  client.send("0123456789");
  while (plane.counters().total.retries === 0) await new Promise((resolve) => setImmediate(resolve));
  client.send("0123456789");
  assert.match(await client.end(), /got 20 plain/);
});

test("the same over HTTP/2", async (t) => {
  const { plane, port } = await start(t, [await closingEndpoint(t, 10), await countingEndpoint(t)]);
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const stream = session.request({ ":method": "PUT", ":path": "/" });
  stream.write("0123456789");
  while (plane.counters().total.retries === 0) await new Promise((resolve) => setImmediate(resolve));
  stream.end("0123456789");
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(stream, "end");
  assert.equal(text, "got 20 chunked");
});

test("a body that is longer than what may be kept is not sent twice, nor any when none may be", async (t) => {
  for (const keepBytes of [1000, 0]) {
    const length = keepBytes + 1;
    const { port } = await start(t, [await closingEndpoint(t, length), await countingEndpoint(t)], { keepBytes });
    const client = await dial(t, port);
    const fields = `Host: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ${length}`;
    client.send(`PUT / HTTP/1.1\r\n${fields}\r\n\r\n`);
    // What comes with the head is at hand anyhow.
    await client.until(/100 Continue\r\n\r\n/);
    client.send("x".repeat(length));
    assert.match(await client.end(), /100 Continue\r\n\r\nHTTP\/1.1 502 /, `${keepBytes}`);
  }
});

test("three and a fifth of the requests may be on a further try at once", () => {
  let active = 0;
  const budget = new RetryBudget(() => active);
  const taken = () => {
    let count = 0;
    while (budget.take()) count += 1;
    for (let back = 0; back < count; back += 1) budget.giveBack();
    return count;
  };
  assert.equal(taken(), 3);
  active = 10;
  assert.equal(taken(), 5);
  active = 100;
  assert.equal(taken(), 23);
  assert.ok(budget.take());
  assert.equal(taken(), 22);
});

test("beyond the budget a request that failed is not tried again, and its record says why", async (t) => {
  const sockets: Socket[] = [];
  const first = await rawEndpoint(t, (socket) => void socket.once("data", () => sockets.push(socket)));
  const held: ServerResponse[] = [];
  const second = await httpEndpoint(t, (_, response) => void held.push(response));
  const started = await start(t, [first]);
  const { plane, port } = started;
  const replies = Array.from({ length: 10 }, () => ask(t, port, "GET /"));
  while (sockets.length < 10) await new Promise((resolve) => setImmediate(resolve));
  await plane.apply(change({ backends: [backend("b", [first, second])] }));
  for (const socket of sockets) socket.destroy();
  // Five of ten stay, and have not been answered: none of them gives its place back.
  while ((await plane.failures()).length < 10 || held.length < 5) await new Promise((resolve) => setImmediate(resolve));
  for (const response of held) response.end();
  const statuses = (await Promise.all(replies)).map(({ status }) => status).sort();
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 502, 502, 502, 502, 502]);
  const last = (await plane.failures()).at(-1);
  assert.match(last === undefined ? "" : renderFailure(last), /; too many others are on a further try$/);
});
