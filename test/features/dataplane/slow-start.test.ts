import assert from "node:assert/strict";
import { test } from "node:test";
import { createPage } from "#dataplane/counters.ts";
import { Backend } from "#dataplane/pool/backend.ts";
import type { BackendEntry } from "#dataplane/table.ts";
import { seeded } from "./seeded.ts";

function entryOf(count: number, more: Partial<BackendEntry> = {}): BackendEntry {
  const endpoints = Array.from({ length: count }, (_, index) => ({ address: `10.0.0.${index}`, port: 80 }));
  return { id: "b", protocol: "http", balance: "round-robin", slowStartMs: 10_000, endpoints, ...more };
}

function start(count: number, more: Partial<BackendEntry> = {}): { backend: Backend; clock: { now: number } } {
  const clock = { now: 5000 };
  const slot = { page: createPage(), offset: 0 };
  const options = { start: 0, idleLimit: 4, slot, random: seeded(3), now: () => clock.now };
  return { backend: new Backend(entryOf(count, more), options), clock };
}

/** What part of many requests the last endpoint gets. */
function lastShare(backend: Backend, now: number): number {
  const last = backend.endpoints.at(-1);
  let count = 0;
  for (let request = 0; request < 20_000; request += 1) if (backend.pick([], now) === last) count += 1;
  return count / 20_000;
}

const near = (value: number, expected: number) =>
  assert.ok(Math.abs(value - expected) < 0.015, `${value}, ${expected}`);

test("an endpoint that joins others gets a tenth at first, then more and more, and its share in the end", () => {
  const { backend } = start(4);
  backend.update(entryOf(5));
  for (const [now, part] of [
    [5000, 0.1],
    [5500, 0.1],
    [10_000, 0.5],
    [12_500, 0.75],
    [15_000, 1],
  ] as const) {
    near(lastShare(backend, now), part / (4 + part));
  }
});

test("endpoints that were there from the start have their share at once, and so has who is alone", () => {
  near(lastShare(start(5).backend, 5000), 0.2);
  const { backend } = start(0);
  backend.update(entryOf(5));
  near(lastShare(backend, 5000), 0.2);
});

test("it is off unless it is asked for", () => {
  const { backend } = start(4, { slowStartMs: 0 });
  backend.update(entryOf(5, { slowStartMs: 0 }));
  near(lastShare(backend, 5000), 0.2);
});

test("the less busy of two is chosen among those whose turn it is", () => {
  const { backend } = start(4, { balance: "least-request" });
  backend.update(entryOf(5, { balance: "least-request" }));
  for (const endpoint of backend.endpoints.slice(0, 4)) endpoint.active = 10;
  // It has nothing to do and would be taken whenever it is looked at, which is in two of five draws.
  assert.ok(lastShare(backend, 5000) < 0.08);
  near(lastShare(backend, 15_000), 0.4);
});

test("a new endpoint is taken when there is no other", () => {
  const { backend } = start(1);
  backend.update(entryOf(2));
  const [first, second] = backend.endpoints;
  for (let count = 0; count < 20; count += 1) assert.equal(backend.pick([first ?? assert.fail("none")], 5000), second);
});
