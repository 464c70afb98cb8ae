import assert from "node:assert/strict";
import { test } from "node:test";
import { followConfig } from "#api/config/follow-file.ts";
import { readConfigFile } from "../../../src/dns/config/read.ts";
import type { DnsSettings } from "../../../src/dns/settings.ts";
import { manualClock } from "../../fakes/clock.ts";

/** A configuration file in memory, and what its follower did. */
function following(first: string) {
  const clock = manualClock();
  const files = new Map([["dns.yml", first]]);
  const taken: DnsSettings[] = [];
  const refused: string[] = [];
  let rejects: Error | undefined;
  const followed = followConfig({
    clock,
    everyMs: 1000,
    readFile(path) {
      const text = files.get(path);
      if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
      return text;
    },
    read: (readFile) => readConfigFile("dns.yml", readFile),
    async changed({ settings }) {
      if (rejects !== undefined) throw rejects;
      taken.push(settings);
    },
    refused: (why) => refused.push(why),
  });
  return { clock, files, taken, refused, followed, reject: (error: Error | undefined) => (rejects = error) };
}

test("what a configuration file says newly is taken at the next look, and once", async () => {
  const { clock, files, taken, refused, followed } = following("ttlSeconds: 1");
  const first = followed.hash();
  assert.match(first, /^[0-9a-f]{128}$/);
  clock.advance(1000);
  await followed.look();
  assert.deepEqual(taken, []);
  files.set("dns.yml", "ttlSeconds: 2");
  await followed.look();
  await followed.look();
  assert.deepEqual(taken, [{ ttlSeconds: 2 }]);
  assert.notEqual(followed.hash(), first);
  assert.deepEqual(refused, []);
  followed.stop();
  assert.equal(clock.pending(), 0);
});

test("a file with errors is refused once with all its problems, and the one before stays", async () => {
  const { files, taken, refused, followed } = following("ttlSeconds: 1");
  const first = followed.hash();
  files.set("dns.yml", "ttlSeconds: x\npods: y");
  await followed.look();
  await followed.look();
  assert.deepEqual(taken, []);
  assert.equal(refused.length, 1);
  assert.match(refused[0] ?? "", /dns\.yml:1: ttlSeconds[^]*dns\.yml:2: pods/);
  assert.equal(followed.failures(), 1);
  assert.equal(followed.hash(), first);
  files.delete("dns.yml");
  await followed.look();
  assert.match(refused[1] ?? "", /no dns\.yml/);
  assert.equal(followed.failures(), 2);
  files.set("dns.yml", "ttlSeconds: 1");
  await followed.look();
  assert.deepEqual(taken, [], "what is in use already is not taken again");
  files.set("dns.yml", "ttlSeconds: 3");
  await followed.look();
  assert.deepEqual(taken, [{ ttlSeconds: 3 }]);
  followed.stop();
});

test("a change of a file that the configuration names is a change of the configuration", async () => {
  const { files, taken, followed } = following("hosts: { entries: [] }");
  files.set("/etc/more", "192.0.2.1 one.test");
  files.set("dns.yml", "hosts: { file: /etc/more }");
  await followed.look();
  files.set("/etc/more", "192.0.2.2 one.test");
  await followed.look();
  assert.deepEqual(
    taken.map(({ hosts }) => hosts?.entries),
    [[{ address: "192.0.2.1", names: ["one.test"] }], [{ address: "192.0.2.2", names: ["one.test"] }]],
  );
  followed.stop();
});

test("settings that the server refuses count as a failure", async () => {
  const { files, taken, refused, followed, reject } = following("ttlSeconds: 1");
  reject(new Error("the server cannot"));
  files.set("dns.yml", "ttlSeconds: 2");
  await followed.look();
  assert.deepEqual([taken, refused, followed.failures()], [[], ["the server cannot"], 1]);
  followed.stop();
});

test("nothing is looked at after the end", async () => {
  const { clock, files, taken, followed } = following("ttlSeconds: 1");
  followed.stop();
  files.set("dns.yml", "ttlSeconds: 2");
  clock.advance(5000);
  await followed.look();
  assert.deepEqual(taken, []);
  assert.equal(clock.pending(), 0);
});
