import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admission } from "#api/admission.ts";
import { createGate, defaultRequestLimits, type Pass, type RequestLimits } from "#apiserver/http/gate.ts";
import { ask, byToken, letDoAll, openWatch, ordinary, startTestServer, type Answer } from "../../fakes/api-server.ts";
import { manualClock } from "../../fakes/clock.ts";

const other = { token: "other-token", user: { name: "other", groups: [] } };

function expectRefusal({ code, headers, body }: Answer): void {
  assert.equal(code, 429);
  assert.equal(headers["retry-after"], "1");
  const { reason, message, details } = JSON.parse(body.toString());
  assert.equal(reason, "TooManyRequests");
  assert.equal(message, "Too many requests, please try again later.");
  assert.equal(details.retryAfterSeconds, 1);
}

/** Holds up whatever creates a Namespace until it is released. */
function holdUp() {
  const waiting: string[] = [];
  let arrived = () => {};
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const admission: Admission = {
    name: "stuck",
    kinds: ["Namespace"],
    async admit({ object }) {
      waiting.push(object.metadata.name);
      arrived();
      await released;
    },
  };
  return {
    admission,
    release: () => release(),
    async held(count: number) {
      while (waiting.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    },
  };
}

test("more requests at once than the server takes are told to come again; administrators and open watches do not count", async (t) => {
  const stuck = holdUp();
  const limits = { atOnce: 3 };
  const server = await startTestServer({ admissions: [stuck.admission], limits, tokens: [ordinary, other] });
  t.after(() => server.stop());
  await letDoAll(server);
  await letDoAll(server, "other");
  const watches = await Promise.all(
    [1, 2, 3, 4].map(() => openWatch(server, "/api/v1/services?watch=1", byToken(ordinary.token))),
  );
  const creates = ["a", "b", "c"].map((name) =>
    ask(server, "/api/v1/namespaces", {
      ...byToken(ordinary.token),
      method: "POST",
      body: JSON.stringify({ metadata: { name } }),
    }),
  );
  await stuck.held(3);
  expectRefusal(await ask(server, "/api/v1/services", byToken(ordinary.token)));
  expectRefusal(await ask(server, "/api/v1/services", byToken(other.token)));
  expectRefusal(await ask(server, "/api/v1/services?watch=1", byToken(other.token)));
  assert.equal((await ask(server, "/api/v1/services")).code, 200, "an administrator can look and help");
  stuck.release();
  assert.deepEqual(
    (await Promise.all(creates)).map(({ code }) => code),
    [201, 201, 201],
  );
  assert.equal((await ask(server, "/api/v1/services", byToken(other.token))).code, 200);
  for (const watch of watches) watch.stop();
});

test("one user who asks too much at once leaves the others alone", async (t) => {
  const stuck = holdUp();
  const limits = { ofUserAtOnce: 2 };
  const server = await startTestServer({ admissions: [stuck.admission], limits, tokens: [ordinary, other] });
  t.after(() => server.stop());
  await letDoAll(server);
  await letDoAll(server, "other");
  const creates = ["a", "b"].map((name) => {
    const body = JSON.stringify({ metadata: { name } });
    return ask(server, "/api/v1/namespaces", { ...byToken(ordinary.token), method: "POST", body });
  });
  await stuck.held(2);
  expectRefusal(await ask(server, "/api/v1/services", byToken(ordinary.token)));
  assert.equal((await ask(server, "/api/v1/services", byToken(other.token))).code, 200);
  stuck.release();
  await Promise.all(creates);
  assert.equal((await ask(server, "/api/v1/services", byToken(ordinary.token))).code, 200);
});

test("a user has so many watches and no more, until one of them ends", async (t) => {
  const server = await startTestServer({ limits: { ofUserStreams: 2 }, tokens: [ordinary] });
  t.after(() => server.stop());
  await letDoAll(server);
  const path = "/api/v1/services?watch=1";
  const open = () => openWatch(server, path, byToken(ordinary.token));
  const [first, second] = await Promise.all([open(), open()]);
  expectRefusal(await ask(server, path, byToken(ordinary.token)));
  expectRefusal(await ask(server, "/api/v1/watch/services", byToken(ordinary.token)));
  assert.equal((await ask(server, "/api/v1/services", byToken(ordinary.token))).code, 200, "a list is no watch");
  first.stop();
  await first.ended;
  // The server hears of it in its own time.
  let third = await open().catch(() => undefined);
  while (third?.response.statusCode !== 200) third = await open().catch(() => undefined);
  second.stop();
  third.stop();
});

/** Of one gate: who asks, after how many milliseconds, and whether he is let in. */
const rates: readonly (readonly [user: string, afterMs: number, isLetIn: boolean])[] = [
  ["a", 0, true],
  ["a", 0, true],
  ["a", 0, true],
  ["a", 0, false],
  ["b", 0, true],
  ["a", 499, false],
  ["a", 1, true],
  ["a", 0, false],
  ["a", 1500, true],
  ["a", 0, true],
  ["a", 0, true],
  ["a", 0, false],
  ["root", 0, true],
];

test("a user's rate may burst and then holds; each has a rate of his own", () => {
  const clock = manualClock();
  const gate = createGate({ ...defaultRequestLimits, ofUserPerSecond: 2, ofUserBurst: 3 }, clock);
  for (const [index, [name, afterMs, isLetIn]] of rates.entries()) {
    clock.advance(afterMs);
    const user = { name, groups: name === "root" ? ["system:masters"] : [] };
    let pass: Pass | undefined;
    try {
      pass = gate.enter(user, false);
    } catch {
      // Refused.
    }
    assert.equal(pass !== undefined, isLetIn, `${index}: ${name}`);
    pass?.closed();
  }
});

test("what is over counts no more, however often it is said, and nobody is remembered for ever", () => {
  const clock = manualClock();
  const limits: RequestLimits = { ...defaultRequestLimits, atOnce: 2, ofUserStreams: 1 };
  const gate = createGate(limits, clock);
  const user = { name: "a", groups: [] };
  for (let turn = 0; turn < 10; turn += 1) {
    const pass = gate.enter(user, true);
    pass.opened();
    pass.opened();
    assert.throws(() => gate.enter(user, true));
    pass.closed();
    pass.closed();
  }
  for (let turn = 0; turn < 10_000; turn += 1) {
    gate.enter({ name: `user-${turn}`, groups: [] }, false).closed();
    clock.advance(1);
  }
  const [one, two] = [gate.enter(user, false), gate.enter(user, false)];
  assert.throws(() => gate.enter({ name: "b", groups: [] }, false), /Too many requests, please try again later\./);
  one.closed();
  gate.enter({ name: "b", groups: [] }, false).closed();
  two.closed();
});
