import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { createPage } from "#dataplane/counters.ts";
import { Backend } from "#dataplane/pool/backend.ts";
import type { OutlierRules } from "#dataplane/table.ts";
import {
  ask,
  backend,
  change,
  deadPort,
  echoEndpoint,
  host,
  httpEndpoint,
  listening,
  route,
  startPlane,
} from "./harness.ts";

const rules: OutlierRules = { failures: 3, ejectMs: 1000, mostMs: 2500, share: 0.1 };

function backendOf(count: number, told: number[] = []): Backend {
  const endpoints = Array.from({ length: count }, (_, index) => ({ address: `10.0.0.${index}`, port: 80 }));
  const entry = { id: "b", protocol: "http", balance: "round-robin", endpoints, outliers: rules } as const;
  const slot = { page: createPage(), offset: 0 };
  return new Backend(entry, { start: 0, idleLimit: 4, slot, ejected: (_, ms) => told.push(ms) });
}

function fail(backend: Backend, index: number, times: number, now: number): void {
  const endpoint = backend.endpoints[index] ?? assert.fail("no such endpoint");
  for (let count = 0; count < times; count += 1) backend.failed(endpoint, now);
}

function taken(backend: Backend, now: number): Set<string | undefined> {
  return new Set(Array.from({ length: backend.endpoints.length * 2 }, () => backend.pick([], now)?.name));
}

test("an endpoint that fails so often in a row is left out, and comes back when its time is over", () => {
  const backend = backendOf(3);
  fail(backend, 0, 2, 5000);
  assert.equal(taken(backend, 5000).size, 3);
  fail(backend, 0, 1, 5000);
  assert.deepEqual([...taken(backend, 5999)].sort(), ["10.0.0.1:80", "10.0.0.2:80"]);
  assert.equal(taken(backend, 6000).size, 3);
});

test("one good answer, and the failures before it do not count", () => {
  const backend = backendOf(3);
  const [first] = backend.endpoints;
  fail(backend, 0, 2, 5000);
  backend.succeeded(first ?? assert.fail("none"));
  fail(backend, 0, 2, 5000);
  assert.equal(taken(backend, 5000).size, 3);
});

test("each time it stays out for longer, up to a limit; good times make it shorter again", () => {
  const told: number[] = [];
  const backend = backendOf(3, told);
  for (const now of [5000, 6000, 8000, 10_500, 16_000]) fail(backend, 0, 3, now);
  // The last one comes 3 s after it was let in again, which takes three of the four times before away.
  assert.deepEqual(told, [1000, 2000, 2500, 2500, 2000]);
});

test("not more than a tenth of the endpoints is left out, but always one; a single one never", () => {
  for (const [count, most] of [
    [1, 0],
    [2, 1],
    [19, 1],
    [20, 2],
    [35, 3],
  ] as const) {
    const told: number[] = [];
    const backend = backendOf(count, told);
    for (let index = 0; index < count; index += 1) fail(backend, index, 3, 5000);
    assert.equal(told.length, most, `of ${count}`);
    assert.equal(taken(backend, 5001).size, count - most, `of ${count}`);
  }
});

test("an endpoint that is left out is taken when every other was tried", () => {
  const backend = backendOf(2);
  fail(backend, 0, 3, 5000);
  const [out, other] = backend.endpoints;
  assert.equal(backend.pick([], 5001), other);
  assert.equal(backend.pick([other ?? assert.fail("none")], 5001), out);
});

test("an endpoint that answers 503 again and again is left out, and the counters and the log say so", async (t) => {
  const lines: string[] = [];
  const write = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug() {}, info() {}, warn: write, error: write, child: () => log };
  const { plane, port } = await startPlane(t, { log });
  let asked = 0;
  const bad = await httpEndpoint(t, (_, response) => {
    asked += 1;
    response.writeHead(503).end();
  });
  const outliers = { failures: 5, ejectMs: 600_000, mostMs: 600_000, share: 0.1 };
  const ports = [bad, await echoEndpoint(t)];
  await plane.apply(change({ hosts: [host("*", [route("r", {})])], backends: [backend("b", ports, { outliers })] }));
  const statuses: number[] = [];
  for (let count = 0; count < 20; count += 1) statuses.push((await ask(t, port, "GET /")).status);
  assert.equal(asked, 5);
  assert.equal(statuses.filter((status) => status === 503).length, 5);
  const { ejected, ejections } = plane.counters().backends.get("b") ?? assert.fail("not counted");
  assert.deepEqual({ ejected, ejections }, { ejected: 1, ejections: 1 });
  const expected = `{"backend":"b","endpoint":"127.0.0.1:${bad}","seconds":600}`;
  assert.deepEqual(lines, [`an endpoint that keeps failing is left out for a while ${expected}`]);
  await plane.apply(change({ backends: [backend("b", ports.slice(1), { outliers })] }));
  assert.equal(plane.counters().backends.get("b")?.ejected, 0);
});

test("refused connections count like bad answers", async (t) => {
  const { plane, port } = await startPlane(t, { limits: { tickMs: 10, endpointSkipMs: 0 } });
  const ports = [await deadPort(), await echoEndpoint(t)];
  await plane.apply(change({ hosts: [host("*", [route("r", {})])], backends: [backend("b", ports)] }));
  for (let count = 0; count < 20; count += 1) assert.equal((await ask(t, port, "GET /")).status, 200);
  assert.equal((await plane.failures()).length, 5);
  assert.equal(plane.counters().backends.get("b")?.ejections, 1);
});

test("a stale connection says nothing about an endpoint, and that it refuses the next one does", async (t) => {
  const { plane, port } = await startPlane(t);
  const outliers = { failures: 1, ejectMs: 600_000, mostMs: 600_000, share: 0.1 };
  const server = createServer((socket) => {
    let requests = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      requests += 1;
      if (requests === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst");
      else server.close(() => {});
      if (requests > 1) socket.destroy();
    });
  });
  const ports = [await listening(t, server), await echoEndpoint(t, "second ")];
  await plane.apply(change({ hosts: [host("*", [route("r", {})])], backends: [backend("b", ports, { outliers })] }));
  assert.equal((await ask(t, port, "GET /")).body, "first");
  assert.match((await ask(t, port, "GET /")).body, /second/);
  assert.equal(plane.counters().backends.get("b")?.ejections, 0);
  assert.match((await ask(t, port, "GET /")).body, /second/);
  const [failure] = await plane.failures();
  assert.equal(failure?.reason, "refused");
  assert.equal(plane.counters().backends.get("b")?.ejections, 1);
});
