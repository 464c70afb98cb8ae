import assert from "node:assert/strict";
import { test } from "node:test";
import { rcodes } from "#wire/dns/numbers.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream } from "../../fakes/dns-upstream.ts";
import { namespace, startHere } from "./fixture.ts";
import { manualClock } from "../../fakes/clock.ts";

const soa = "test. 900 SOA ns.test. admin.test. 1 1 1 1 60";

test("an outside answer is asked for once, counts down, and is asked for again when its time is over", async () => {
  const clock = manualClock();
  const upstream = await startFakeUpstream(() => ({ answers: ["www.test. 600 A 192.0.2.1"] }));
  const { dns, at } = await startHere([namespace("dev")], { upstreams: [upstream], clock });
  const ttl = async () => read(await sendUdp(at, queryFor("www.test", "A"))).answers[0]?.ttl;
  assert.equal(await ttl(), 30);
  clock.advance(10_000);
  assert.equal(await ttl(), 20);
  assert.equal(upstream.asked.length, 1);
  clock.advance(20_000);
  assert.equal(await ttl(), 30);
  assert.equal(upstream.asked.length, 2);
  const { cacheHits, cacheMisses } = await dns.counters();
  assert.deepEqual([cacheHits.success, cacheMisses], [1, 2]);
  await dns.stop();
  await upstream.stop();
});

test("that a name does not exist is kept too, and a server failure for 5 s", async () => {
  const clock = manualClock();
  const upstream = await startFakeUpstream((name) =>
    name === "no.test" ? { rcode: rcodes.NXDOMAIN, authorities: [soa] } : { rcode: rcodes.SERVFAIL },
  );
  const { dns, at } = await startHere([namespace("dev")], { upstreams: [upstream], clock });
  const ask = async (name: string) => read(await sendUdp(at, queryFor(name, "A"))).rcode;
  for (let round = 0; round < 3; round++) {
    assert.equal(await ask("no.test"), rcodes.NXDOMAIN);
    assert.equal(await ask("bad.test"), rcodes.SERVFAIL);
  }
  assert.equal(upstream.asked.length, 2);
  clock.advance(5_000);
  await ask("bad.test");
  await ask("no.test");
  assert.equal(upstream.asked.length, 3);
  await dns.stop();
  await upstream.stop();
});

test("what says nothing of how long it holds is not kept", async () => {
  const upstream = await startFakeUpstream((name) => (name === "no.test" ? { rcode: rcodes.NXDOMAIN } : {}));
  const { dns, at } = await startHere([namespace("dev")], { upstreams: [upstream] });
  for (let round = 0; round < 2; round++) {
    await sendUdp(at, queryFor("no.test", "A"));
    await sendUdp(at, queryFor("empty.test", "A"));
  }
  assert.equal(upstream.asked.length, 4);
  await dns.stop();
  await upstream.stop();
});

test("clients that ask for the same at the same time share one question upstream", async () => {
  const upstream = await startFakeUpstream(() => ({ answers: ["www.test. 600 A 192.0.2.1"] }));
  const { dns, at } = await startHere([namespace("dev")], { upstreams: [upstream] });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, id) => sendUdp(at, queryFor(id % 2 ? "www.test" : "WWW.test", "A", { id }))),
  );
  for (const [id, answer] of answers.entries()) {
    assert.equal(read(answer).id, id);
    assert.equal(read(answer).answers.length, 1);
  }
  assert.equal(upstream.asked.length, 1);
  await dns.stop();
  await upstream.stop();
});

test("AD is passed on only to clients that understand it", async () => {
  const answers = ["www.test. 600 A 192.0.2.1"];
  const upstream = await startFakeUpstream(() => ({ answers, authenticData: true }));
  const { dns, at } = await startHere([namespace("dev")], { upstreams: [upstream] });
  const adOf = async (packet: Buffer) => (read(await sendUdp(at, packet)).flags & 0x20) !== 0;
  const plain = queryFor("www.test", "A");
  const withAd = queryFor("www.test", "A");
  withAd.writeUInt16BE(0x0120, 2);
  assert.equal(await adOf(plain), false);
  assert.equal(await adOf(withAd), true);
  assert.equal(await adOf(queryFor("www.test", "A", { size: 1232, do: true })), true);
  await dns.stop();
  await upstream.stop();
});
