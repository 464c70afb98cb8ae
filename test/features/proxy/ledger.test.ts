import assert from "node:assert/strict";
import { test } from "node:test";
import { createElementLedger } from "#proxy/modes/ledger.ts";

const at = (key: string, value = "") => ({ set: "services", key, value }) as const;
const of = (front: string, key: string, value = "") => ({ ...at(`${front} ${key}`, value), front });
const plain = (elements: readonly { key: string; value: string }[]) =>
  elements.map(({ key, value }) => `${key}=${value}`);

test("only what differs from the last transaction goes to the kernel", () => {
  const ledger = createElementLedger();
  ledger.claim("a", [at("1", "x"), at("2", "x")]);
  assert.deepEqual(ledger.take(), { deletes: [], adds: [at("1", "x"), at("2", "x")] });
  ledger.claim("a", [at("2", "y"), at("3", "x")]);
  ledger.claim("a", [at("2", "y"), at("4", "x")]);
  const { deletes, adds } = ledger.take();
  assert.deepEqual(deletes, [at("1", "x"), at("2", "x")]);
  assert.deepEqual(adds, [at("2", "y"), at("4", "x")]);
  assert.deepEqual(ledger.take(), { deletes: [], adds: [] });
});

test("an element of two owners stays until the last lets go", () => {
  const ledger = createElementLedger();
  ledger.claim("a", [at("1")]);
  ledger.claim("b", [at("1")]);
  ledger.take();
  ledger.claim("a", []);
  assert.deepEqual(ledger.take(), { deletes: [], adds: [] });
  ledger.claim("b", []);
  assert.deepEqual(ledger.take(), { deletes: [at("1")], adds: [] });
  assert.deepEqual(ledger.takeAll(), []);
});

test("of two owners of one front the first by name has all of it, whoever came first, and then the other", () => {
  const claims = { a: [of("f", "0", "a"), of("g", "0", "a")], b: [of("f", "0", "b"), of("f", "1", "b")] };
  for (const order of [["a", "b"] as const, ["b", "a"] as const]) {
    const ledger = createElementLedger();
    for (const owner of order) {
      ledger.claim(owner, claims[owner]);
      ledger.take();
    }
    assert.deepEqual(plain(ledger.takeAll()).sort(), ["f 0=a", "g 0=a"]);
    assert.deepEqual(ledger.contested(), [{ front: "f", winner: "a", losers: ["b"] }]);
    ledger.claim("a", [of("g", "0", "a")]);
    const { deletes, adds } = ledger.take();
    assert.deepEqual([plain(deletes), plain(adds).sort()], [["f 0=a"], ["f 0=b", "f 1=b"]]);
    assert.deepEqual(ledger.contested(), []);
    ledger.claim("a", claims.a);
    const back = ledger.take();
    assert.deepEqual([plain(back.deletes).sort(), plain(back.adds)], [["f 0=b", "f 1=b"], ["f 0=a"]]);
  }
});
