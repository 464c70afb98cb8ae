import assert from "node:assert/strict";
import { test } from "node:test";
import { MovingMean } from "#dataplane/balance/ewma.ts";
import { Ring } from "#dataplane/balance/ring.ts";
import { createPage } from "#dataplane/counters.ts";
import { Backend } from "#dataplane/pool/backend.ts";
import type { BackendEntry } from "#dataplane/table.ts";
import { seeded } from "./seeded.ts";

function backendOf(balance: BackendEntry["balance"], count: number): Backend {
  const endpoints = Array.from({ length: count }, (_, index) => ({ address: `10.0.0.${index}`, port: 80 }));
  const entry = { id: "b", protocol: "http", balance, endpoints } as const;
  const options = { start: 0, idleLimit: 4, slot: { page: createPage(), offset: 0 }, random: seeded(7) };
  return new Backend(entry, options);
}

test("least-request keeps away from endpoints with much to do", () => {
  const backend = backendOf("least-request", 5);
  for (const endpoint of backend.endpoints.slice(0, 4)) endpoint.active = 10;
  const counts = new Map<string, number>();
  for (let count = 0; count < 1000; count += 1) {
    const { name } = backend.pick([], 0) ?? assert.fail("none");
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  // Two of five are looked at: the idle one is among them in two of five draws.
  const idle = counts.get("10.0.0.4:80") ?? 0;
  assert.ok(idle > 330 && idle < 470, String(idle));
});

test("least-request spreads what is under way: no endpoint has far more than its share", () => {
  const backend = backendOf("least-request", 10);
  for (let count = 0; count < 1000; count += 1) (backend.pick([], 0) ?? assert.fail("none")).active += 1;
  for (const { active } of backend.endpoints) assert.ok(active > 90 && active < 110, String(active));
});

test("ewma sends most to those that answer faster, and forgets in time", () => {
  const backend = backendOf("ewma", 2);
  const [fast, slow] = backend.endpoints;
  assert.ok(fast && slow);
  for (let count = 0; count < 50; count += 1) {
    backend.measure(fast, 5, 1000 + count * 100);
    backend.measure(slow, 500, 1000 + count * 100);
  }
  for (let count = 0; count < 20; count += 1) assert.equal(backend.pick([], 6000), fast);
  assert.equal(backend.pick([fast], 6000), slow);
});

test("a mean of times sinks while nothing comes", () => {
  const mean = new MovingMean(100, 0);
  assert.equal(mean.at(0), 100);
  assert.ok(mean.at(10_000) < 37 && mean.at(10_000) > 36);
  mean.add(100, 10_000);
  assert.ok(mean.at(10_000) > 99);
});

test("a ring gives even shares, and a member that goes moves only its own keys", () => {
  const members = Array.from({ length: 10 }, (_, index) => `10.0.0.${index}:80`);
  const keys = Array.from({ length: 20_000 }, (_, index) => `key ${index}`);
  const all = () => true;
  const [whole, fewer] = [new Ring(members), new Ring(members.slice(0, 9))];
  const shares = new Map<number, number>();
  for (const key of keys) {
    const member = whole.find(key, all) ?? assert.fail("none");
    shares.set(member, (shares.get(member) ?? 0) + 1);
    if (member !== 9) assert.equal(fewer.find(key, all), member);
  }
  for (const share of shares.values()) assert.ok(share > 1300 && share < 2700, String(share));
  assert.equal(new Ring([]).find("x", all), undefined);
  assert.equal(
    whole.find("x", () => false),
    undefined,
  );
});

test("a preferred endpoint is left for another when it failed, unless the request stays", () => {
  const backend = backendOf("round-robin", 4);
  const hash = { hash: "some text" };
  const first = backend.pick([], 0, hash) ?? assert.fail("none");
  for (let count = 0; count < 5; count += 1) assert.equal(backend.pick([], 0, hash), first);
  const second = backend.pick([first], 0, hash);
  assert.ok(second !== undefined && second !== first);
  first.failedUntil = 10;
  assert.equal(backend.pick([], 5, hash), second);
  assert.equal(backend.pick([], 5, { ...hash, stays: true }), first);
  assert.equal(backend.pick([first], 5, { ...hash, stays: true }), undefined);
  assert.notEqual(backend.pick([], 5, { endpoint: "nobody's key", stays: true }), undefined);
});

test("a subset leads to any of a group, and to no other", () => {
  const backend = backendOf("round-robin", 7);
  const names = (key: string) =>
    new Set(Array.from({ length: 200 }, () => backend.pick([], 0, { hash: key, subset: 3 })?.name));
  for (const key of ["a", "b", "c", "d"]) assert.equal(names(key).size, 3);
  assert.deepEqual(names("a"), names("a"));
});
