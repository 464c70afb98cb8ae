import assert from "node:assert/strict";
import { test } from "node:test";
import { nameFromText, nameToText } from "#wire/dns/name.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import { createRewriter, rewriteProblem } from "../../../src/dns/rewrite/rules.ts";
import type { RewriteRule } from "../../../src/dns/settings.ts";
import { queryFor, read, sendTcp, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream } from "../../fakes/dns-upstream.ts";
import { namespace, service, startHere, zone } from "./fixture.ts";

function rewritten(rule: RewriteRule, text: string): string | undefined {
  const found = createRewriter([rule], () => 1)?.(nameFromText(text) ?? "");
  return found === undefined || found === "failed" ? found : nameToText(found.name);
}

test("each kind of rule changes the names that fit it, and no others", () => {
  const cases: readonly [RewriteRule["match"], from: string, to: string, name: string, expected?: string][] = [
    ["exact", "a.test", "b.test", "a.test", "b.test"],
    ["exact", "A.test.", "b.test.", "a.test", "b.test"],
    ["exact", "a.test", "b.test", "x.a.test"],
    ["prefix", "old-", "new-", "old-web.test", "new-web.test"],
    ["prefix", "old-", "new-", "web.old-.test"],
    ["suffix", ".corp.test", `.svc.${zone}`, "web.dev.corp.test", `web.dev.svc.${zone}`],
    ["suffix", ".corp.test", ".x", "corp.test.example"],
    ["substring", "-stage.", ".", "a-stage.b-stage.test", "a.b.test"],
    ["substring", "$", "$&", "a.test"],
    ["regex", "^(.*)\\.in\\.corp\\.test$", `{1}.dev.svc.${zone}`, "web.in.corp.test", `web.dev.svc.${zone}`],
    ["regex", "(.*)\\.in\\.corp\\.test\\.$", "{1}.x.test.", "web.in.corp.test", "web.x.test"],
    ["regex", "v([0-9]+)\\.([a-z]+)\\.test", "{2}-{1}.test", "app.v12.api.test", "api-12.test"],
    ["regex", "^b", "c.test", "ab.test"],
    ["regex", "(x)|y", "{1}{9}z.test", "y.test", "z.test"],
  ];
  for (const [match, from, to, name, expected] of cases)
    assert.equal(rewritten({ match, from, to }, name), expected, `${match} ${from} of ${name}`);
});

test("the first rule that fits is the one that counts, and a new name that is none fails", () => {
  const rules: RewriteRule[] = [
    { match: "exact", from: "a.test", to: "b.test" },
    { match: "substring", from: "test", to: "example" },
    { match: "prefix", from: "x", to: ".." },
  ];
  const rewrite = createRewriter(rules, () => 1) ?? assert.fail("no rules");
  assert.deepEqual(rewrite("\x01a\x04test"), { name: "\x01b\x04test", answerAsked: true });
  assert.deepEqual(rewrite("\x01b\x04test"), { name: "\x01b\x07example", answerAsked: true });
  assert.equal(rewrite("\x01x"), "failed");
});

test("expressions that could take endless time are refused", () => {
  for (const from of ["(a+)+$", "(a|a)*b", "(.*)*x", "(", "a".repeat(600), ""])
    assert.notEqual(rewriteProblem({ match: "regex", from, to: "x" }), undefined, from);
  assert.equal(rewriteProblem({ match: "regex", from: "^(.*)\\.a\\.test$", to: "{1}.b" }), undefined);
});

test("an expression that takes long for some name is given up, and does not hold up the others", () => {
  let now = 0;
  const slow: RewriteRule = { match: "regex", from: ".*a.*a.*a.*a.*a.*a.*b$", to: "x.test" };
  const rewrite = createRewriter([slow], () => now) ?? assert.fail("no rules");
  const label = `\x3f${"a".repeat(63)}`;
  const started = performance.now();
  now = 5_000;
  for (let round = 0; round < 100; round++) assert.equal(rewrite(label.repeat(3)), "failed");
  const took = performance.now() - started;
  assert.ok(took < 1_000, `${took} ms`);
  now = 7_000;
  assert.equal(rewrite("\x01c"), undefined);
});

test("answers to a rewritten question carry the name that was asked, or the other when that is set", async () => {
  const upstream = await startFakeUpstream((name) => ({
    answers: name === "out.example" ? ["out.example. 60 CNAME end.example.", "end.example. 60 A 192.0.2.9"] : [],
  }));
  const objects = [
    namespace("dev"),
    service("web", { clusterIP: "10.96.0.20", ports: [{ name: "http", port: 80, protocol: "TCP" }] }),
    service("ext", { type: "ExternalName", externalName: "out.example" }),
  ];
  const rewrite: RewriteRule[] = [
    { match: "suffix", from: ".corp.test", to: `.svc.${zone}` },
    { match: "exact", from: "far.test", to: "out.example" },
    { match: "exact", from: "plain.test", to: `web.dev.svc.${zone}`, answerAsked: false },
  ];
  const { dns, at } = await startHere(objects, { upstreams: [upstream], settings: { rewrite } });
  const ask = async (name: string, type = "A") => read(await sendUdp(at, queryFor(name, type, { size: 1232 })));
  const owners = async (name: string, type = "A") =>
    (await ask(name, type)).answers.map((found) => nameToText(found.name));

  assert.deepEqual(await owners("Web.dev.corp.test"), ["Web.dev.corp.test"]);
  assert.deepEqual(await owners("far.test"), ["far.test", "end.example"]);
  assert.deepEqual(await owners("far.test"), ["far.test", "end.example"], "from the cache");
  assert.deepEqual(await owners("ext.dev.corp.test"), ["ext.dev.corp.test", "out.example", "end.example"]);
  assert.deepEqual(await owners("plain.test"), [`web.dev.svc.${zone}`]);
  assert.equal((await ask("_http._tcp.web.dev.corp.test", "SRV")).additionals.length, 1);
  assert.equal((await ask("nope.dev.corp.test")).rcode, rcodes.NXDOMAIN);
  const whole = queryFor("web.dev.corp.test", "A");
  assert.equal(read((await sendTcp(at, [whole]))[0]).answers.length, 1);
  await dns.configure({});
  assert.equal((await ask("web.dev.corp.test")).answers.length, 0);
  await dns.stop();
  await upstream.stop();
});
