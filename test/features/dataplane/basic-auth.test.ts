import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Filter } from "#dataplane/table.ts";
import { ask, backend, change, dial, echoEndpoint, field, host, route, startPlane } from "./harness.ts";

const bcryptOfSecret = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const slow = "$2a$14$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

async function guarded(t: TestContext, users: readonly (readonly [string, string])[], realm = "Sign in") {
  const { plane, port } = await startPlane(t);
  const endpoint = await echoEndpoint(t);
  const filters: Filter[] = [{ type: "basic-auth", realm, users }];
  const routes = [
    route("open", { match: { type: "exact", path: "/open" } }),
    route("closed", { filters, maxBodyBytes: 1000 }),
  ];
  await plane.apply(change({ hosts: [host("*", routes)], backends: [backend("b", [endpoint])] }));
  return { plane, port };
}

const as = (user: string, password: string) => `Authorization: Basic ${btoa(`${user}:${password}`)}`;

test("only the right name with the right password comes in, and the endpoint does not see it", async (t) => {
  const { port } = await guarded(t, [
    ["ann", "{PLAIN}one:two"],
    ["ben", bcryptOfSecret],
  ]);
  const right = await ask(t, port, "GET /", [as("ann", "one:two")]);
  assert.equal(right.status, 200);
  assert.doesNotMatch(right.body, /authorization/i);
  for (let time = 0; time < 2; time += 1) assert.equal((await ask(t, port, "GET /", [as("ben", "U*U")])).status, 200);
  for (const wrong of [
    [],
    [as("ann", "U*U")],
    [as("ben", "U*")],
    [as("eve", "U*U")],
    [as("", "")],
    ["Authorization: Basic !!"],
    ["Authorization: Basic YW5u"],
    ["Authorization: Bearer x"],
    [as("ann", "one:two"), as("ann", "one:two")],
    [as("ben", "x".repeat(600))],
  ]) {
    const { status, head } = await ask(t, port, "GET /", wrong);
    assert.equal(status, 401, String(wrong));
    assert.equal(field(head, "www-authenticate"), 'Basic realm="Sign in"');
  }
});

test("a body waits until its sender is let in", async (t) => {
  const { port } = await guarded(t, [["ben", bcryptOfSecret]]);
  const client = await dial(t, port);
  const head = ["POST / HTTP/1.1", "Host: a", "Content-Length: 10", "Connection: close", as("ben", "U*U")];
  client.send(`${head.join("\r\n")}\r\n\r\n01234`);
  client.send("56789");
  assert.match(await client.end(), /body 10/);
});

test("while a slow password is checked, other clients are served; one that leaves ends its check", async (t) => {
  const { port } = await guarded(t, [["ben", slow]]);
  const waiting = await dial(t, port);
  waiting.send(`GET / HTTP/1.1\r\nHost: a\r\n${as("ben", "wrong")}\r\n\r\n`);
  for (let count = 0; count < 5; count += 1) assert.equal((await ask(t, port, "GET /open")).status, 200);
  assert.equal(waiting.text, "");
  waiting.socket.destroy();
});

test("nobody comes in where there are no users", async (t) => {
  const { port } = await guarded(t, []);
  assert.equal((await ask(t, port, "GET /", [as("", "")])).status, 401);
});
