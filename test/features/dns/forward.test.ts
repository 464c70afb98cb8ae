import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { nameToText } from "#wire/dns/name.ts";
import { classIn, rcodes, types } from "#wire/dns/numbers.ts";
import {
  createForwarder,
  type Forwarded,
  type Forwarder,
  type ForwarderOptions,
} from "../../../src/dns/forward/forward.ts";
import type { Asked } from "../../../src/dns/forward/sockets.ts";
import { createCounters } from "../../../src/dns/metrics.ts";
import { startFakeUpstream, type FakeUpstream, type UpstreamAnswer } from "../../fakes/dns-upstream.ts";
import { manualClock } from "../../fakes/clock.ts";

const www: Asked = { question: { name: "\x03www\x04test", type: types.A, class: classIn }, do: false, cd: false };
const address: UpstreamAnswer = { answers: ["www.test. 60 A 192.0.2.1"] };

function forwarderTo(upstreams: readonly FakeUpstream[], options: Partial<ForwarderOptions> = {}) {
  const { clock = systemClock } = options;
  return createForwarder({
    upstreams,
    policy: "sequential",
    clock,
    log: silentLog,
    counters: createCounters(),
    random: Math.random,
    ...options,
  });
}

function ask(forwarder: Forwarder): Promise<Forwarded> {
  return new Promise((resolve) => forwarder.ask(www, resolve));
}

/** Lets a manual clock run while the network works, until the promise is settled. */
async function runClock<T>(clock: ReturnType<typeof manualClock>, promise: Promise<T>, step = 100): Promise<T> {
  let settled = false;
  const marked = promise.finally(() => (settled = true));
  const tick = () => {
    if (settled) return;
    clock.advance(step);
    setImmediate(tick);
  };
  setImmediate(tick);
  return marked;
}

test("an upstream that is silent is passed over for the next, and asked last from then on", async () => {
  const clock = manualClock();
  const dead = await startFakeUpstream(() => undefined);
  const alive = await startFakeUpstream(() => address);
  const forwarder = forwarderTo([dead, alive], { clock });
  for (let round = 0; round < 2; round++) {
    const forwarded = await runClock(clock, ask(forwarder));
    assert.equal(forwarded.got, "answer");
  }
  const before = dead.asked.filter((asked) => asked.startsWith("www.test")).length;
  assert.equal(before, 2);
  assert.equal((await ask(forwarder)).got, "answer");
  assert.equal(dead.asked.filter((asked) => asked.startsWith("www.test")).length, before);
  forwarder.stop();
  assert.equal(clock.pending(), 0);
  await Promise.all([dead.stop(), alive.stop()]);
});

test("an upstream that failed is probed, and asked first again once it answers", async () => {
  const clock = manualClock();
  let silent = true;
  const first = await startFakeUpstream((name) => (silent ? undefined : name === "." ? {} : address));
  const second = await startFakeUpstream(() => address);
  const forwarder = forwarderTo([first, second], { clock });
  for (let round = 0; round < 2; round++) await runClock(clock, ask(forwarder));
  silent = false;
  const probed = () => first.asked.filter((asked) => asked === ". NS udp").length;
  const before = probed();
  while (probed() === before) {
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const asked = () => first.asked.filter((asked) => asked.startsWith("www.test")).length;
  const start = asked();
  while (asked() === start) await runClock(clock, ask(forwarder));
  forwarder.stop();
  await Promise.all([first.stop(), second.stop()]);
});

test("when none answers, it is over within 4 s, before a resolver gives up", async () => {
  const clock = manualClock();
  const started = clock.monotonic();
  const upstreams = await Promise.all([1, 2, 3].map(() => startFakeUpstream(() => undefined)));
  const forwarder = forwarderTo(upstreams, { clock });
  const forwarded = await runClock(clock, ask(forwarder));
  assert.equal(forwarded.got, "failure");
  const passed = clock.monotonic() - started;
  assert.ok(passed >= 1_500 && passed <= 4_200, `${passed} ms`);
  forwarder.stop();
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
});

test("a closed port is passed over at once", async () => {
  const closed = await startFakeUpstream(() => undefined);
  await closed.stop();
  const alive = await startFakeUpstream(() => address);
  const clock = manualClock();
  const forwarder = forwarderTo([closed, alive], { clock });
  assert.equal((await ask(forwarder)).got, "answer");
  forwarder.stop();
  await alive.stop();
});

test("an answer that was cut is fetched again over TCP", async () => {
  const answers = Array.from({ length: 100 }, (_, index) => `www.test. 60 A 192.0.2.${index}`);
  const upstream = await startFakeUpstream(() => ({ answers, truncated: true }));
  const forwarder = forwarderTo([upstream]);
  const forwarded = await ask(forwarder);
  assert.ok(forwarded.got === "answer");
  assert.equal(forwarded.message.answers.length, 100);
  assert.deepEqual(upstream.asked, ["www.test A udp", "www.test A tcp"]);
  forwarder.stop();
  await upstream.stop();
});

const spoiled: readonly [what: string, spoil: (packet: Buffer) => Buffer][] = [
  ["another id", (packet) => (packet.writeUInt16BE(packet.readUInt16BE(0) ^ 1, 0), packet)],
  ["another name", (packet) => (packet.write("x", 13), packet)],
  ["another type", (packet) => (packet.writeUInt16BE(28, 12 + 10), packet)],
  ["no answer bit", (packet) => (packet.writeUInt16BE(0x0100, 2), packet)],
  ["a record cut short", (packet) => packet.subarray(0, packet.length - 15)],
  ["no question", (packet) => (packet.writeUInt16BE(0, 4), packet)],
];
for (const [what, spoil] of spoiled) {
  test(`an answer with ${what} is not believed, and the right one behind it is`, async () => {
    const forged = (packet: Buffer) => {
      packet[packet.length - 12] = 66;
      return spoil(packet);
    };
    const upstream = await startFakeUpstream(() => ({ ...address, spoil: forged }));
    const forwarder = forwarderTo([upstream]);
    const forwarded = await ask(forwarder);
    assert.ok(forwarded.got === "answer");
    assert.deepEqual([...(forwarded.message.answers[0]?.data ?? [])], [192, 0, 2, 1]);
    forwarder.stop();
    await upstream.stop();
  });
}

test("what is read as an answer is the first packet that belongs to the question", async () => {
  const spoil = (packet: Buffer) => (packet.writeUInt8(66, packet.length - 12), packet);
  const upstream = await startFakeUpstream(() => ({ ...address, spoil }));
  const forwarder = forwarderTo([upstream]);
  const forwarded = await ask(forwarder);
  assert.ok(forwarded.got === "answer");
  assert.deepEqual([...(forwarded.message.answers[0]?.data ?? [])], [192, 0, 2, 66]);
  forwarder.stop();
  await upstream.stop();
});

test("one question more than may wait is rejected at once", async () => {
  const clock = manualClock();
  const upstream = await startFakeUpstream(() => undefined);
  const forwarder = forwarderTo([upstream], { clock, maxConcurrent: 2 });
  const waiting = [ask(forwarder), ask(forwarder)];
  assert.deepEqual(await ask(forwarder), { got: "rejected" });
  await runClock(clock, Promise.all(waiting));
  forwarder.stop();
  await upstream.stop();
});

test("codes of the upstream are passed on without asking another", async () => {
  for (const rcode of [rcodes.SERVFAIL, rcodes.REFUSED, rcodes.NXDOMAIN]) {
    const first = await startFakeUpstream(() => ({ rcode }));
    const second = await startFakeUpstream(() => address);
    const forwarder = forwarderTo([first, second]);
    const forwarded = await ask(forwarder);
    assert.equal(forwarded.got === "answer" && forwarded.message.rcode, rcode);
    assert.deepEqual(second.asked, []);
    forwarder.stop();
    await Promise.all([first.stop(), second.stop()]);
  }
});

test("upstreams take turns by policy", async () => {
  const upstreams = await Promise.all([1, 2].map(() => startFakeUpstream(() => address)));
  const forwarder = forwarderTo(upstreams, { policy: "round_robin" });
  for (let round = 0; round < 4; round++) await ask(forwarder);
  assert.deepEqual(
    upstreams.map(({ asked }) => asked.length),
    [2, 2],
  );
  assert.equal(nameToText(www.question.name), "www.test");
  forwarder.stop();
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
});
