import assert from "node:assert/strict";
import { test } from "node:test";
import { renderFailure } from "#dataplane/failures.ts";
import { ask, backend, change, deadPort, dial, host, rawEndpoint, route, simple, startPlane } from "./harness.ts";

test("no rule for the host is 404 in nginx's page", async (t) => {
  const { port } = await startPlane(t);
  const { status, body } = await ask(t, port, "GET /");
  assert.equal(status, 404);
  assert.match(body, /<center><h1>404 Not Found<\/h1><\/center>\r\n<hr><center>fairlead<\/center>/);
});

test("a backend without endpoints is 503, and the failure says which route and backend", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(change({ hosts: [host("*", [route("dev/web", {})])], backends: [backend("b", [])] }));
  const { status, body } = await ask(t, port, "GET /");
  assert.equal(status, 503);
  assert.match(body, /503 Service Temporarily Unavailable/);
  const [failure] = await plane.failures();
  assert.equal(failure && renderFailure(failure), "route dev/web: backend b: no endpoints");
});

test("an endpoint that refuses is 502 when there is no other, with the hop in the record", async (t) => {
  const { plane, port } = await startPlane(t);
  const dead = await deadPort();
  await plane.apply(simple([dead]));
  assert.equal((await ask(t, port, "POST /")).status, 502);
  const failures = await plane.failures();
  assert.deepEqual(failures.map(renderFailure), [`route all: backend b: endpoint 127.0.0.1:${dead}: refused`]);
  assert.equal(failures[0]?.status, 502);
});

test("an endpoint that answers nonsense, or closes in the head, is 502", async (t) => {
  for (const answer of ["nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"]) {
    const { plane, port } = await startPlane(t);
    await plane.apply(simple([await rawEndpoint(t, (socket) => void socket.once("data", () => socket.end(answer)))]));
    assert.equal((await ask(t, port, "GET /")).status, 502, answer);
  }
});

test("an endpoint that does not answer in time is 504", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await rawEndpoint(t, (socket) => void socket.resume())], { readMs: 30 }));
  const { status, body } = await ask(t, port, "GET /");
  assert.equal(status, 504);
  assert.match(body, /504 Gateway Time-out/);
});

test("a response that stops in the middle closes the client's connection", async (t) => {
  const { plane, port } = await startPlane(t);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
  });
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.match(await client.end(), /\r\n\r\nabc$/);
});

test("a broken request is answered and the connection closed", async (t) => {
  const { port } = await startPlane(t);
  for (const [bytes, status] of [
    ["GET / HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
    ["GET / HTTP/1.1\nHost: a\n\n", 400],
    ["GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505],
    ["TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405],
    ["POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417],
    [`GET /${"a".repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(33_000)}\r\n\r\n`, 400],
  ] as const) {
    const client = await dial(t, port);
    client.send(bytes);
    assert.match(await client.end(), new RegExp(`^HTTP/1.1 ${status} `));
  }
});
