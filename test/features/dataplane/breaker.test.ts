import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import { renderFailure } from "#dataplane/failures.ts";
import type { BackendLimits } from "#dataplane/table.ts";
import { ask, backend, change, dial, host, httpEndpoint, replyOf, route, startPlane, type Plane } from "./harness.ts";

/** An endpoint whose answers the test gives, one after the other. */
class HeldEndpoint {
  port = 0;
  connections = 0;
  readonly held: ServerResponse[] = [];
  private readonly watchers: (() => void)[] = [];

  static async start(t: TestContext): Promise<HeldEndpoint> {
    const endpoint = new HeldEndpoint();
    const seen = new Set<unknown>();
    endpoint.port = await httpEndpoint(t, (request, response) => {
      if (!seen.has(request.socket)) endpoint.connections += 1;
      seen.add(request.socket);
      endpoint.held.push(response);
      for (const watcher of endpoint.watchers.splice(0)) watcher();
    });
    return endpoint;
  }

  async answer(): Promise<void> {
    while (this.held.length === 0) await new Promise<void>((resolve) => this.watchers.push(resolve));
    this.held.shift()?.end("ok");
  }

  async has(count: number): Promise<void> {
    while (this.held.length < count) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }
}

async function start(t: TestContext, endpoints: readonly HeldEndpoint[], limits: BackendLimits): Promise<Plane> {
  const started = await startPlane(t);
  const ports = endpoints.map(({ port }) => port);
  await started.plane.apply(
    change({ hosts: [host("*", [route("r", {})])], backends: [backend("b", ports, { limits })] }),
  );
  return started;
}

async function reasons({ plane }: Plane): Promise<string[]> {
  return (await plane.failures()).map(renderFailure);
}

test("beyond as many requests as a backend may have, 503 with the reason in the hops", async (t) => {
  const endpoint = await HeldEndpoint.start(t);
  const started = await start(t, [endpoint], { requests: 2 });
  const { plane, port } = started;
  const first = [ask(t, port, "GET /1"), ask(t, port, "GET /2")];
  await endpoint.has(2);
  assert.equal((await ask(t, port, "GET /3")).status, 503);
  assert.deepEqual(await reasons(started), ["route r: backend b: 2 requests are under way, no more may be"]);
  assert.equal(plane.counters().backends.get("b")?.overflows, 1);
  for (let count = 0; count < 2; count += 1) await endpoint.answer();
  for (const reply of await Promise.all(first)) assert.equal(reply.status, 200);
  const later = ask(t, port, "GET /4");
  await endpoint.answer();
  assert.equal((await later).status, 200);
});

test("an endpoint with as many connections as it may have is passed over for another", async (t) => {
  const endpoints = [await HeldEndpoint.start(t), await HeldEndpoint.start(t)] as const;
  const { port } = await start(t, endpoints, { connectionsAnEndpoint: 2 });
  const replies = Array.from({ length: 4 }, () => ask(t, port, "GET /"));
  await Promise.all(endpoints.map((endpoint) => endpoint.has(2)));
  assert.equal((await ask(t, port, "GET /more")).status, 503);
  for (const endpoint of endpoints) for (let count = 0; count < 2; count += 1) await endpoint.answer();
  for (const { status } of await Promise.all(replies)) assert.equal(status, 200);
});

test("a request that finds no connection waits for its turn, in the order of arrival", async (t) => {
  const endpoint = await HeldEndpoint.start(t);
  const started = await start(t, [endpoint], { connections: 1, pending: 2 });
  const { plane, port } = started;
  const order: string[] = [];
  const asked: Promise<unknown>[] = [];
  for (const name of ["a", "b", "c"]) {
    asked.push(ask(t, port, `GET /${name}`).then(({ status }) => order.push(`${name} ${status}`)));
    // The next one comes when this one was seen.
    while ((plane.counters().backends.get("b")?.requests ?? 0) < asked.length) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  assert.equal((await ask(t, port, "GET /d")).status, 503);
  assert.deepEqual(await reasons(started), ["route r: backend b: no connection is free, and 2 requests wait for one"]);
  for (let count = 0; count < 3; count += 1) await endpoint.answer();
  await Promise.all(asked);
  assert.deepEqual(order, ["a 200", "b 200", "c 200"]);
  assert.equal(endpoint.connections, 1);
});

test("who waits for a connection in vain is answered 503", async (t) => {
  const endpoint = await HeldEndpoint.start(t);
  const started = await startPlane(t);
  const entry = backend("b", [endpoint.port], { limits: { connections: 1, pending: 5 } });
  const routes = [route("patient", { match: { type: "exact", path: "/" } }), route("r", { connectMs: 30 })];
  await started.plane.apply(change({ hosts: [host("*", routes)], backends: [entry] }));
  const first = ask(t, started.port, "GET /");
  await endpoint.has(1);
  assert.equal((await ask(t, started.port, "GET /now")).status, 503);
  assert.deepEqual(await reasons(started), ["route r: backend b: no connection became free in time"]);
  await endpoint.answer();
  assert.equal((await first).status, 200);
});

test("a client that leaves while it waits leaves the queue", async (t) => {
  const endpoint = await HeldEndpoint.start(t);
  const { plane, port } = await start(t, [endpoint], { connections: 1, pending: 1 });
  const first = ask(t, port, "GET /");
  await endpoint.has(1);
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const open = () => plane.counters().backends.get("b")?.open;
  while (open() !== 2) await new Promise((resolve) => setImmediate(resolve));
  client.socket.destroy();
  while (open() !== 1) await new Promise((resolve) => setImmediate(resolve));
  const second = ask(t, port, "GET /");
  while (open() !== 2) await new Promise((resolve) => setImmediate(resolve));
  await endpoint.answer();
  await endpoint.answer();
  assert.deepEqual([(await first).status, (await second).status], [200, 200]);
});

test("who waits when the limits are lifted goes on at once", async (t) => {
  const endpoint = await HeldEndpoint.start(t);
  const { plane, port } = await start(t, [endpoint], { connections: 1, pending: 9 });
  const replies = Array.from({ length: 4 }, () => ask(t, port, "GET /"));
  while (plane.counters().backends.get("b")?.open !== 4) await new Promise((resolve) => setImmediate(resolve));
  await plane.apply(change({ backends: [backend("b", [endpoint.port])] }));
  await endpoint.has(4);
  for (let count = 0; count < 4; count += 1) await endpoint.answer();
  for (const { status } of await Promise.all(replies)) assert.equal(status, 200);
});

test("a kept connection of another endpoint makes room for the one that is needed", async (t) => {
  const endpoints = [await HeldEndpoint.start(t), await HeldEndpoint.start(t)] as const;
  const { port } = await start(t, endpoints, { connections: 1 });
  const client = await dial(t, port);
  for (const [at, endpoint] of endpoints.entries()) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    // Turns begin with the first.
    await endpoint.answer();
    await client.until(new RegExp(`(ok[^]*){${at + 1}}`));
  }
  assert.equal(replyOf(client.text).status, 200);
  assert.deepEqual(
    endpoints.map(({ connections }) => connections),
    [1, 1],
  );
});
