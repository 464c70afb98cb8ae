import assert from "node:assert/strict";
import { test } from "node:test";
import { Maglev } from "#dataplane/balance/maglev.ts";
import { createPage } from "#dataplane/counters.ts";
import { Backend } from "#dataplane/pool/backend.ts";

const membersOf = (count: number) =>
  Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}:80`);
const all = () => true;
const keys = Array.from({ length: 100_000 }, (_, index) => `key ${index}`);

for (const count of [1, 2, 3, 10, 100, 1000]) {
  test(`${count} members have even shares: nobody has more than 1.05 of the mean`, () => {
    const shares = new Maglev(membersOf(count)).shares();
    const sum = shares.reduce((total, share) => total + share, 0);
    assert.ok(Math.max(...shares) <= (1.05 * sum) / count);
  });
}

test("keys get even shares, too", () => {
  const table = new Maglev(membersOf(10));
  const counts = Array.from({ length: 10 }, () => 0);
  for (const key of keys) {
    const member = table.find(key, all) ?? assert.fail("none");
    counts[member] = (counts[member] ?? 0) + 1;
  }
  assert.ok(Math.max(...counts) <= 1.05 * (keys.length / 10), String(counts));
});

for (const count of [3, 10, 100]) {
  test(`of ${count} members one goes, or one comes: not more than 2/${count} of the keys move`, () => {
    const members = membersOf(count);
    const whole = new Maglev(members);
    for (const others of [members.toSpliced(1, 1), [...members, "10.9.9.9:80"]]) {
      const changed = new Maglev(others);
      const moved = keys.filter((key) => members[whole.find(key, all) ?? -1] !== others[changed.find(key, all) ?? -1]);
      assert.ok(moved.length <= (2 / count) * keys.length, `${moved.length} moved to ${others.length}`);
    }
  });
}

test("the keys of a member that cannot be used are shared by the others, and no other key moves", () => {
  const table = new Maglev(membersOf(4));
  const taken = new Set<number>();
  for (const key of keys.slice(0, 1000)) {
    const usual = table.find(key, all);
    const now = table.find(key, (member) => member !== 2) ?? assert.fail("none");
    if (usual !== 2) assert.equal(now, usual);
    else taken.add(now);
  }
  assert.deepEqual([...taken].sort(), [0, 1, 3]);
});

test("one member that can be used is found among many, and none where there is none", () => {
  const table = new Maglev(membersOf(500));
  for (const key of keys.slice(0, 50))
    assert.equal(
      table.find(key, (member) => member === 77),
      77,
    );
  assert.equal(
    table.find("x", () => false),
    undefined,
  );
  assert.equal(new Maglev([]).find("x", all), undefined);
});

test("the order in which members are told hardly matters", () => {
  const members = membersOf(10);
  const backwards = members.toReversed();
  const [one, other] = [new Maglev(members), new Maglev(backwards)];
  const same = keys.filter((key) => members[one.find(key, all) ?? -1] === backwards[other.find(key, all) ?? -1]);
  assert.ok(same.length > 0.9 * keys.length, String(same.length));
});

test("a backend gives a text the same endpoint, and another while that one fails", () => {
  const endpoints = [1, 2, 3].map((last) => ({ address: `10.0.0.${last}`, port: 80 }));
  const entry = { id: "b", protocol: "http", balance: "round-robin", endpoints } as const;
  const backend = new Backend(entry, { start: 0, idleLimit: 4, slot: { page: createPage(), offset: 0 } });
  const preference = { hash: "some text", evenly: true };
  const first = backend.pick([], 0, preference) ?? assert.fail("none");
  assert.equal(backend.pick([], 0, preference), first);
  first.failedUntil = 10;
  const second = backend.pick([], 5, preference);
  assert.notEqual(second, first);
  assert.equal(backend.pick([], 5, preference), second);
  assert.equal(backend.pick([], 10, preference), first);
});
