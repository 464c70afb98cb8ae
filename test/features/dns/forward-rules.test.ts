import assert from "node:assert/strict";
import { test } from "node:test";
import { rcodes } from "#wire/dns/numbers.ts";
import type { ForwardRule } from "../../../src/dns/settings.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream, type FakeUpstream } from "../../fakes/dns-upstream.ts";
import { namespace, service, startHere, zone } from "./fixture.ts";

const objects = [namespace("dev"), service("web", { clusterIP: "10.96.0.20" })];

function upstreamWith(address: string): Promise<FakeUpstream> {
  return startFakeUpstream((name) => ({ answers: [`${name}. 60 A ${address}`] }));
}

function rule(zone: string, { address, port }: FakeUpstream, more: Partial<ForwardRule> = {}): ForwardRule {
  return { zone, upstreams: [{ address, port }], ...more };
}

async function withRules(forward: readonly ForwardRule[], upstream?: FakeUpstream) {
  const { dns, at } = await startHere(objects, { settings: { forward }, upstreams: upstream && [upstream] });
  const ask = async (name: string, type = "A") => read(await sendUdp(at, queryFor(name, type)));
  const last = async (name: string) => (await ask(name)).answers[0]?.data.at(-1);
  return { dns, at, ask, last };
}

test("the rule with the longest zone takes a name; the machine's own upstreams take the rest", async () => {
  const [rest, corp, lab] = await Promise.all(["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(upstreamWith));
  assert.ok(rest && corp && lab);
  const { dns, last } = await withRules([rule("corp.test", corp), rule("lab.corp.test", lab)], rest);
  assert.equal(await last("www.test"), 1);
  assert.equal(await last("www.corp.test"), 2);
  assert.equal(await last("CORP.test"), 2);
  assert.equal(await last("x.lab.corp.test"), 3);
  assert.equal(await last("xcorp.test"), 1);
  await dns.configure({ forward: [rule("lab.corp.test", corp)] });
  assert.equal(await last("x.lab.corp.test"), 2);
  assert.equal(await last("www.corp.test"), 1);
  await dns.stop();
  await Promise.all([rest, corp, lab].map((upstream) => upstream.stop()));
});

test("names below `except` are not forwarded, and own zones never are", async () => {
  const upstream = await upstreamWith("192.0.2.1");
  const { dns, ask, last } = await withRules([
    rule(".", upstream, { except: ["secret.test"] }),
    rule(`svc.${zone}`, upstream),
  ]);
  assert.equal(await last("www.test"), 1);
  assert.equal((await ask("a.secret.test")).rcode, rcodes.REFUSED);
  assert.equal((await ask(`nope.dev.svc.${zone}`)).rcode, rcodes.NXDOMAIN);
  assert.equal(await last(`web.dev.svc.${zone}`), 20);
  assert.deepEqual(upstream.asked, ["www.test A udp"]);
  await dns.stop();
  await upstream.stop();
});

test("a reverse zone of the own network can have its own upstream", async () => {
  const upstream = await startFakeUpstream((name) => ({ answers: [`${name}. 60 PTR host.corp.test.`] }));
  const { dns, ask } = await withRules([rule("168.192.in-addr.arpa", upstream)]);
  assert.equal((await ask("1.0.168.192.in-addr.arpa", "PTR")).answers.length, 1);
  assert.equal((await ask("1.0.0.172.in-addr.arpa", "PTR")).rcode, rcodes.NXDOMAIN);
  await dns.stop();
  await upstream.stop();
});

test("one question more than a rule lets wait is REFUSED at once", async () => {
  const gate = Promise.withResolvers<void>();
  const upstream = await startFakeUpstream((name) => ({ answers: [`${name}. 60 A 192.0.2.1`], after: gate.promise }));
  const { dns, at, ask } = await withRules([rule(".", upstream, { maxConcurrent: 2, attemptTimeoutMs: 4_000 })]);
  const waiting = ["a.test", "b.test"].map((name) => sendUdp(at, queryFor(name, "A")));
  while (upstream.asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await ask("c.test")).rcode, rcodes.REFUSED);
  gate.resolve();
  for (const answer of await Promise.all(waiting)) assert.equal(read(answer).answers.length, 1);
  assert.equal((await dns.counters()).forwardRejects, 1);
  await dns.stop();
  await upstream.stop();
});

test("all attempts together end in the time that the rule gives them", async () => {
  const upstream = await startFakeUpstream(() => undefined);
  const { dns, ask } = await withRules([rule(".", upstream, { attemptTimeoutMs: 100, totalTimeoutMs: 150 })]);
  const started = performance.now();
  assert.equal((await ask("www.test")).rcode, rcodes.SERVFAIL);
  const took = performance.now() - started;
  assert.ok(took >= 140 && took < 1_500, `${took} ms`);
  await dns.stop();
  await upstream.stop();
});
