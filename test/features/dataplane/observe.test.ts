import assert from "node:assert/strict";
import { test } from "node:test";
import { countAnswer, readAnswers } from "#dataplane/observe/answers.ts";
import { histogram, observe } from "#dataplane/observe/histograms.ts";
import { addTo, counter, placeOf, slotSize } from "#dataplane/counters.ts";
import { SlotBook } from "#dataplane/slots.ts";
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

test("answers are told apart by method and status, and what clients invent takes no room", () => {
  const slots = [new Float64Array(slotSize + 100).fill(0), new Float64Array(slotSize + 100).fill(0)];
  const [first, second] = slots as [Float64Array, Float64Array];
  for (let status = 200; status < 600; status += 1) countAnswer(first, 0, `M${status}`, status);
  countAnswer(second, 0, "GET", 200);
  countAnswer(second, 0, "POST", 404);
  countAnswer(second, 0, "POST", 404);
  const answers = readAnswers(slots);
  assert.equal(
    answers.reduce((sum, { requests }) => sum + requests, 0),
    403,
    "nothing is lost",
  );
  assert.ok(answers.length <= 27);
  assert.deepEqual(
    answers.find(({ method, status }) => method === "POST" && status === 404),
    { method: "POST", status: 404, requests: 2 },
  );
  assert.ok(
    first.subarray(slotSize).every((value) => value === 0),
    "and nothing is written beside the slot",
  );
});

test("a histogram counts at its bounds, above them, and sums over workers", () => {
  const book = new SlotBook(2);
  const slot = book.acquire("route r");
  const { page, offset } = placeOf(slot);
  for (const [values] of book.pages) {
    assert.ok(page === 0 && values !== undefined);
    addTo({ page: values, offset }, counter.requests, 5);
    for (const value of [0, 0.005, 0.0051, 3, 11]) observe(values, offset, histogram.requestSeconds, value);
  }
  const { requests, histograms } = book.snapshot().routes.get("r") ?? assert.fail();
  const { counts, sum } = histograms.requestSeconds;
  assert.equal(requests, 10);
  assert.deepEqual(counts, [4, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2]);
  assert.ok(Math.abs(sum - 28.0202) < 1e-9);
});

test("each hop counts what it served: route, backend, and the endpoints that were tried", async (t) => {
  const { plane, port } = await startPlane(t);
  const [dead, good] = [await deadPort(), await echoEndpoint(t)];
  await plane.apply(change({ hosts: [host("*", [route("all", {})])], backends: [backend("b", [dead, good])] }));
  assert.equal((await ask(t, port, "GET /")).status, 200);
  assert.equal((await ask(t, port, "HEAD /")).status, 200);
  const { total, routes, endpoints } = plane.counters();
  const all = routes.get("all");
  assert.deepEqual(all?.answers, [
    { method: "GET", status: 200, requests: 1 },
    { method: "HEAD", status: 200, requests: 1 },
  ]);
  assert.deepEqual(total.answers, all.answers);
  assert.equal(
    all.histograms.requestSeconds.counts.reduce((sum, count) => sum + count),
    2,
  );
  assert.equal(total.accepted, 2);
  const of = (at: number) => endpoints.find(({ endpoint }) => endpoint === `127.0.0.1:${at}`)?.counters;
  assert.ok((of(dead)?.failures ?? 0) >= 1);
  assert.equal(of(dead)?.answers.length, 0);
  assert.deepEqual([of(good)?.requests, of(good)?.failures, of(good)?.open], [2, 0, 0]);
  assert.equal(
    of(good)?.histograms.responseSeconds.counts.reduce((sum, count) => sum + count),
    2,
  );
});

test("an endpoint that leaves takes its counters along, and one that comes later begins at nothing", async (t) => {
  const { plane, port } = await startPlane(t);
  const { promise: asked, resolve } = Promise.withResolvers<() => void>();
  const old = await rawEndpoint(t, (socket) => {
    socket.on("data", () => resolve(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")));
  });
  await plane.apply(simple([old]));
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const answer = await asked;
  const fresh = await echoEndpoint(t);
  await plane.apply(change({ backends: [backend("b", [fresh])] }));
  answer();
  await client.until(/old$/);
  const { endpoints } = plane.counters();
  assert.deepEqual(
    endpoints.map(({ endpoint, counters: { requests, open } }) => [endpoint, requests, open]),
    [[`127.0.0.1:${fresh}`, 0, 0]],
  );
});

test("a route and a backend that leave count for their last request, and what comes meanwhile begins at nothing", async (t) => {
  const { plane, port } = await startPlane(t);
  const { promise: asked, resolve } = Promise.withResolvers<() => void>();
  const slow = await rawEndpoint(t, (socket) => {
    socket.on("data", () => resolve(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")));
  });
  await plane.apply(change({ hosts: [host("*", [route("before", {})])], backends: [backend("b", [slow])] }));
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const answer = await asked;
  const fresh = await echoEndpoint(t);
  await plane.apply(change({ hosts: [["*", undefined]], backends: [["b", undefined]] }));
  // Some more changes, so that every slot that is free would have been taken.
  for (const id of ["c", "d", "e"]) {
    const routes = [route(`after ${id}`, { backend: id, match: { type: "exact", path: `/${id}` } })];
    await plane.apply(change({ hosts: [host(`${id}.test`, routes)], backends: [backend(id, [fresh])] }));
  }
  answer();
  await client.until(/old$/);
  const { total, routes, backends } = plane.counters();
  assert.equal(total.requests, 1);
  for (const [id, { requests, open, classes, answers }] of [...routes, ...backends]) {
    assert.deepEqual(
      { id, requests, open, classes, answers },
      { id, requests: 0, open: 0, classes: [0, 0, 0, 0, 0], answers: [] },
    );
  }
});

test("a slot is given to another when its last request is over and all workers know that its entry left", () => {
  const book = new SlotBook(2);
  const slot = book.acquire("route before");
  const { page, offset } = placeOf(slot);
  const values = book.pages[1]?.[page] ?? assert.fail();
  addTo({ page: values, offset }, counter.open, 1);
  addTo({ page: values, offset }, counter.requests, 7);
  const change = book.begin();
  book.release("route before");
  book.begin();
  assert.notEqual(book.acquire("route first"), slot);
  addTo({ page: values, offset }, counter.open, -1);
  book.begin();
  assert.notEqual(book.acquire("route second"), slot, "a worker may still begin requests by it");
  book.settle(change);
  book.begin();
  assert.equal(book.acquire("route third"), slot);
  assert.equal(book.snapshot().routes.get("third")?.requests, 0);
});

test("some of the requests can be looked at, without what may be secret, and never more than a few", async (t) => {
  const { plane, port } = await startPlane(t);
  await plane.apply(simple([await echoEndpoint(t)]));
  const client = await dial(t, port);
  for (let count = 0; count < 200; count += 1) {
    client.text = "";
    client.send(`GET /path-${count}?token=secret HTTP/1.1\r\nHost: a\r\nReferer: http://x/?secret\r\n\r\n`);
    await client.until(/body 0\n/);
  }
  const sample = await plane.sample();
  assert.ok(sample.length >= 20 && sample.length <= 100, `${sample.length} are kept`);
  assert.doesNotMatch(JSON.stringify(sample), /secret/);
  const [first] = sample;
  assert.match(first?.target ?? "", /^\/path-\d+$/);
  assert.deepEqual([first?.status, first?.route, first?.backend], [200, "all", "b"]);
});

test("a client that left before it was answered is a 499, and no fault of the endpoint", async (t) => {
  const { plane, port } = await startPlane(t);
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const endpoint = await rawEndpoint(t, (socket) => void socket.on("data", () => resolve()));
  await plane.apply(simple([endpoint]));
  const client = await dial(t, port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await asked;
  client.socket.destroy();
  const counters = () => plane.counters();
  while (counters().routes.get("all")?.open !== 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(counters().routes.get("all")?.answers, [{ method: "GET", status: 499, requests: 1 }]);
  assert.equal(counters().endpoints[0]?.counters.failures, 0);
});
