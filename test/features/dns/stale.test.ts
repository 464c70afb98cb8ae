import assert from "node:assert/strict";
import { test } from "node:test";
import { rcodes } from "#wire/dns/numbers.ts";
import type { CacheSettings } from "../../../src/dns/settings.ts";
import { manualClock } from "../../fakes/clock.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream, type UpstreamAnswer } from "../../fakes/dns-upstream.ts";
import { namespace, startHere } from "./fixture.ts";

async function started(cache: CacheSettings, answer: (name: string) => UpstreamAnswer | undefined) {
  const clock = manualClock();
  const upstream = await startFakeUpstream((name) => (name === "." ? undefined : answer(name)));
  const { dns, at } = await startHere([namespace("dev")], { upstreams: [upstream], clock, settings: { cache } });
  const ask = async (name = "www.test") => read(await sendUdp(at, queryFor(name, "A")));
  /** Lets the clock run until the answer is there: timeouts are its affair. */
  const askInTime = async () => {
    let answer: Awaited<ReturnType<typeof ask>> | undefined;
    const asked = ask().then((found) => (answer = found));
    const started = clock.monotonic();
    while (answer === undefined) {
      clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.monotonic() > started + 60_000) break;
    }
    return { answer: await asked, took: clock.monotonic() - started };
  };
  const asked = () => upstream.asked.filter((question) => !question.startsWith(". ")).length;
  const stop = async () => {
    await dns.stop();
    await upstream.stop();
  };
  return { clock, dns, ask, askInTime, asked, stop };
}

const www: UpstreamAnswer = { answers: ["www.test. 60 A 192.0.2.1"] };

test("while no upstream answers, an answer whose time is over is given, for as long as is set", async () => {
  let silent = false;
  const { clock, dns, ask, askInTime, stop } = await started({ serveStaleSeconds: 600 }, () =>
    silent ? undefined : www,
  );
  assert.equal((await ask()).answers[0]?.ttl, 30);
  silent = true;
  clock.advance(31_000);
  const { answer, took } = await askInTime();
  assert.equal(answer.rcode, rcodes.NOERROR);
  assert.equal(answer.answers[0]?.ttl, 30);
  assert.ok(took <= 3_000, `${took} ms`);
  clock.advance(700_000);
  assert.equal((await askInTime()).answer.rcode, rcodes.SERVFAIL);
  assert.ok(((await dns.counters()).cacheStale ?? 0) >= 1);
  await stop();
});

test("an upstream that says it failed does not put an end to what it said before", async () => {
  let fails = false;
  const { clock, ask, asked, stop } = await started({ serveStaleSeconds: 600 }, () =>
    fails ? { rcode: rcodes.SERVFAIL } : www,
  );
  await ask();
  fails = true;
  clock.advance(31_000);
  assert.equal((await ask()).answers.length, 1);
  const before = asked();
  assert.equal((await ask()).answers.length, 1);
  assert.equal(asked(), before, "it is left in peace for a moment");
  fails = false;
  clock.advance(5_000);
  assert.equal((await ask()).answers.length, 1);
  assert.equal(asked(), before + 1);
  await stop();
});

test("without that setting an upstream that fails is told to the client", async () => {
  let fails = false;
  const { clock, ask, stop } = await started({}, () => (fails ? { rcode: rcodes.SERVFAIL } : www));
  await ask();
  fails = true;
  clock.advance(31_000);
  assert.equal((await ask()).rcode, rcodes.SERVFAIL);
  await stop();
});

test("an answer that is asked for often is renewed before its end", async () => {
  const { clock, dns, ask, asked, stop } = await started({ prefetch: { hits: 2, percent: 20 } }, () => www);
  await ask();
  await ask();
  clock.advance(25_000);
  assert.equal(asked(), 1);
  assert.equal((await ask()).answers[0]?.ttl, 5);
  while (asked() < 2) await new Promise((resolve) => setImmediate(resolve));
  let ttl: number | undefined = 0;
  while (ttl !== 30) ttl = (await ask()).answers[0]?.ttl;
  assert.equal((await dns.counters()).cachePrefetches, 1);
  await stop();
});

test("no more answers are kept than is set, and none longer", async () => {
  const { clock, dns, ask, asked, stop } = await started(
    { capacity: 10, maxTtlSeconds: 8, maxNegativeTtlSeconds: 6, minTtlSeconds: 1 },
    (name) =>
      name.startsWith("no")
        ? { rcode: rcodes.NXDOMAIN, authorities: ["test. 900 SOA ns.test. admin.test. 1 1 1 1 60"] }
        : { answers: [`${name}. ${name.startsWith("short") ? 2 : 600} A 192.0.2.1`] },
  );
  for (let index = 0; index < 30; index++) await ask(`n${index}.test`);
  assert.equal((await dns.counters()).cacheEntries.success, 10);
  assert.equal((await ask("www.test")).answers[0]?.ttl, 8);
  assert.equal((await ask("short.test")).answers[0]?.ttl, 2);
  assert.equal((await ask("no.test")).authorities[0]?.ttl, 6);
  await dns.configure({ cache: { capacity: 2, maxTtlSeconds: 8 } });
  assert.deepEqual((await dns.counters()).cacheEntries, { success: 1, denial: 1 });
  const before = asked();
  clock.advance(8_000);
  await ask("www.test");
  assert.equal(asked(), before + 1);
  await stop();
});
