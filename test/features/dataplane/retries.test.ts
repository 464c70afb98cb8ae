import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { renderFailure } from "#dataplane/failures.ts";
import {
  ask,
  backend,
  change,
  deadPort,
  dial,
  echoEndpoint,
  host,
  rawEndpoint,
  route,
  simple,
  startPlane,
} from "./harness.ts";

test("a refused connection goes to the next endpoint, whatever the method, with its whole body", async (t) => {
  const { plane, port } = await startPlane(t);
  const dead = await deadPort();
  const alive = await echoEndpoint(t);
  await plane.apply(simple([dead, alive]));
  const client = await dial(t, port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
  assert.match(await client.end(), /body 5/);
  const failures = await plane.failures();
  assert.ok(failures.length <= 1);
  for (const failure of failures) assert.match(renderFailure(failure), /refused$/);
  assert.equal(plane.counters().backends.get("b")?.requests, 1);
});

test("an endpoint that refused is passed over for a moment", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await deadPort(), await echoEndpoint(t)]));
  for (let count = 0; count < 10; count += 1) assert.equal((await ask(t, port, "GET /")).status, 200);
  assert.equal((await plane.failures()).length, 1);
  assert.equal(plane.counters().routes.get("all")?.retries, 1);
});

test("no more endpoints are tried than the backend allows", async (t) => {
  const { plane, port } = await startPlane(t);
  const ports = [await deadPort(), await deadPort(), await deadPort(), await deadPort()];
  await plane.apply(
    change({ hosts: [host("*", [route("r", { retry: { tries: 2 } })])], backends: [backend("b", ports)] }),
  );
  assert.equal((await ask(t, port, "GET /")).status, 502);
  assert.deepEqual(
    (await plane.failures()).map(({ status }) => status),
    [0, 502],
  );
});

/** Answers the first request of each connection, and closes the connection when the second one comes. */
function stale(socket: Socket): void {
  let requests = 0;
  socket.on("data", () => {
    requests += 1;
    if (requests === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    else socket.destroy();
  });
}

test("a GET on a connection that the endpoint just closed is sent again on a new one", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await rawEndpoint(t, stale)]));
  assert.equal((await ask(t, port, "GET /1")).status, 200);
  assert.equal((await ask(t, port, "GET /2")).status, 200);
  assert.equal(plane.counters().total.retries, 1);
});

test("a POST that may have reached the endpoint is not sent twice", async (t) => {
  const { plane, port } = await startPlane(t);
  let posts = 0;
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", (bytes) => {
      if (bytes.toString().startsWith("POST")) {
        posts += 1;
        socket.destroy();
      } else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  await plane.apply(simple([endpoint]));
  assert.equal((await ask(t, port, "GET /")).status, 200);
  assert.equal((await ask(t, port, "POST /", ["Content-Length: 0"])).status, 502);
  assert.equal(posts, 1);
});

test("a GET is not sent again once a byte of the answer came", async (t) => {
  const { plane, port } = await startPlane(t);
  let requests = 0;
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.once("data", () => {
      requests += 1;
      socket.end("HTTP/1.1 2");
    });
  });
  await plane.apply(simple([endpoint]));
  assert.equal((await ask(t, port, "GET /")).status, 502);
  assert.equal(requests, 1);
});

test("endpoints take turns", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t, "one "), await echoEndpoint(t, "two ")]));
  const seen: string[] = [];
  for (let count = 0; count < 6; count += 1) seen.push((await ask(t, port, "GET /")).body.slice(0, 3));
  assert.equal(seen.filter((name) => name === "one").length, 3);
  assert.notEqual(seen[0], seen[1]);
});
