import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import type { Filter } from "#dataplane/table.ts";
import { ask, dial, echoEndpoint, httpEndpoint, simple, startPlane } from "./harness.ts";

const limits = (more: Partial<Extract<Filter, { type: "limits" }>>): Filter[] => [
  { type: "limits", zone: "z", rates: [], exempt: [], status: 503, connectionStatus: 503, ...more },
];

test("a client that asks too fast is answered 503 until its time has come, others are not", async (t) => {
  let now = 1_000_000;
  const clock = { ...systemClock, now: () => now };
  const { plane, port } = await startPlane(t, { clock, trustedProxies: ["127.0.0.1"] });
  const filters = limits({ rates: [{ intervalMs: 1000, burst: 5 }], exempt: ["10.9.0.0/16"] });
  await plane.apply(simple([await echoEndpoint(t)], { filters }));
  const statusFor = async (client: string) => (await ask(t, port, "GET /", [`X-Forwarded-For: ${client}`])).status;
  const statuses: number[] = [];
  for (let count = 0; count < 8; count += 1) statuses.push(await statusFor("10.0.0.1"));
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 503, 503]);
  assert.equal(await statusFor("10.0.0.2"), 200);
  for (let count = 0; count < 8; count += 1) assert.equal(await statusFor("10.9.0.1"), 200);
  now += 1000;
  assert.equal(await statusFor("10.0.0.1"), 200);
  assert.equal(await statusFor("10.0.0.1"), 503);
});

test("requests under way are counted until they end, also when the client leaves", async (t) => {
  const { plane, port } = await startPlane(t);
  const releases: (() => void)[] = [];
  const endpoint = await httpEndpoint(t, (_request, response) => void releases.push(() => response.end()));
  await plane.apply(simple([endpoint], { filters: limits({ connections: 2, connectionStatus: 429 }) }));
  const [one, two] = [await dial(t, port), await dial(t, port)];
  for (const client of [one, two]) client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  while (releases.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await ask(t, port, "GET /")).status, 429);
  releases[0]?.();
  await Promise.race([one.until(/\r\n\r\n/), two.until(/\r\n\r\n/)]);
  const three = await dial(t, port);
  three.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  while (releases.length < 3) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await ask(t, port, "GET /")).status, 429);
  three.socket.destroy();
  while ((plane.counters().routes.get("all")?.open ?? 0) > 1) await new Promise((resolve) => setImmediate(resolve));
  const four = await dial(t, port);
  four.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  while (releases.length < 4) await new Promise((resolve) => setImmediate(resolve));
});

test("worker threads count a client together", async (t) => {
  const { plane, port } = await startPlane(t, { workers: 2 });
  const filters = limits({ rates: [{ intervalMs: 3_600_000, burst: 9 }] });
  await plane.apply(simple([await echoEndpoint(t)], { filters }));
  const replies = await Promise.all(Array.from({ length: 40 }, () => ask(t, port, "GET /")));
  assert.equal(replies.filter(({ status }) => status === 200).length, 10);
});
