import assert from "node:assert/strict";
import { test } from "node:test";
import { Endpoint } from "#dataplane/pool/endpoint.ts";
import { Backend } from "#dataplane/pool/backend.ts";
import { createPage } from "#dataplane/counters.ts";
import type { Connection } from "#dataplane/transport/connection.ts";

class TestConnection implements Connection {
  handler: Connection["handler"] = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };
  readonly tls = false;
  readonly http2 = false;
  readonly remoteAddress = "10.0.0.1";
  readonly remotePort = 80;
  readonly localPort = 0;
  blocked = false;
  closed = false;
  letsGo = false;
  write = () => 0 as const;
  pause(): void {}
  resume(): void {}
  keepReadBuffer(): void {}
  end(): void {}
  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.handler.onClose(undefined);
  }
}

const target = { address: "10.0.0.1", port: 80, tls: false, http2: false };

test("a full pool closes what waited longest, so that what was just used can be used again", () => {
  const endpoint = new Endpoint(target, 2);
  const [first, second, third] = [new TestConnection(), new TestConnection(), new TestConnection()];
  for (const [at, connection] of [first, second, third].entries()) endpoint.give(connection, 100 + at);
  assert.deepEqual([first.closed, second.closed, third.closed], [true, false, false]);
  assert.equal(endpoint.take(102), third);
  assert.equal(endpoint.take(102), undefined);
  assert.equal(endpoint.take(0), second);
  assert.equal(endpoint.idleCount, 0);
});

test("idle connections close when their time is up, when the peer speaks or ends, and with the endpoint", () => {
  const endpoint = new Endpoint(target, 10);
  const all = Array.from({ length: 5 }, () => new TestConnection());
  for (const [at, connection] of all.entries()) endpoint.give(connection, at);
  endpoint.expire(1, 0);
  assert.deepEqual(
    all.map(({ closed }) => closed),
    [true, true, false, false, false],
  );
  all[2]?.handler.onData(Buffer.from("x"), 0, 1);
  all[3]?.handler.onEnd();
  assert.equal(endpoint.idleCount, 1);
  endpoint.retire();
  assert.ok(all.every(({ closed }) => closed));
  const late = new TestConnection();
  endpoint.give(late, 1000);
  assert.ok(late.closed);
});

test("endpoints keep their connections when others come and go", () => {
  const entry = { id: "b", protocol: "http", balance: "round-robin" } as const;
  const of = (...ports: number[]) => ({ ...entry, endpoints: ports.map((port) => ({ address: "10.0.0.1", port })) });
  const backend = new Backend(of(1, 2), { start: 0, idleLimit: 4, slot: { page: createPage(), offset: 0 } });
  const [one, two] = backend.endpoints;
  backend.update(of(2, 3));
  assert.equal(backend.endpoints[0], two);
  assert.equal(one?.retired, true);
  backend.update({ ...of(2, 3), protocol: "https" });
  assert.equal(two?.retired, true);
});

test("a failed endpoint is passed over unless there is no other, and no endpoint is tried twice", () => {
  const entry = { id: "b", protocol: "http", balance: "round-robin" } as const;
  const endpoints = [1, 2].map((port) => ({ address: "10.0.0.1", port }));
  const backend = new Backend(
    { ...entry, endpoints },
    { start: 5, idleLimit: 4, slot: { page: createPage(), offset: 0 } },
  );
  const [one, two] = backend.endpoints;
  assert.ok(one && two);
  one.failedUntil = 10;
  for (let count = 0; count < 4; count += 1) assert.equal(backend.pick([], 9), two);
  assert.equal(backend.pick([two], 9), one);
  assert.equal(backend.pick([one, two], 9), undefined);
  assert.equal(new Set([backend.pick([], 10), backend.pick([], 10)]).size, 2);
});
