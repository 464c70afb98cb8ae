import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packDiff } from "#dns/entry.ts";
import { createNameStore, lastLabels } from "#dns/name-store.ts";
import { createAddressOwners } from "#routing/names/owners.ts";
import type { NameEntry } from "#routing/names/table.ts";
import { nameFromText } from "#wire/dns/name.ts";

test("the store of names answers as a map of them would, whatever is written", () => {
  const name = fc
    .tuple(fc.nat(3), fc.integer({ min: -1, max: 60 }))
    .map(([service, host]) => `${host < 0 ? "" : `h-${host}.`}web-${service}.dev.svc.zone`);
  const entry = fc.option(fc.record({ a: fc.array(fc.ipV4(), { minLength: 1, maxLength: 3 }) }), { nil: undefined });
  const writes = fc.array(fc.array(fc.tuple(name, entry), { maxLength: 80 }), { maxLength: 6 });
  fc.assert(
    fc.property(writes, (all) => {
      const store = createNameStore((wire) => lastLabels(wire, 4));
      const known = new Map<string, NameEntry>();
      for (const names of all) {
        store.write(packDiff({ names, reverse: [], serial: 0, revision: "1" }).names);
        for (const [text, value] of names) {
          if (value === undefined) known.delete(text);
          else known.set(text, value);
        }
        for (let service = 0; service < 4; service++) {
          for (let host = 0; host <= 60; host++) {
            const text = `h-${host}.web-${service}.dev.svc.zone`;
            assert.deepEqual(store.get(nameFromText(text) ?? "")?.entry.a, known.get(text)?.a, text);
          }
        }
        assert.equal(store.size(), known.size);
      }
    }),
    { numRuns: 30 },
  );
});

test("names that were not asked for lately are read anew, with the same records", () => {
  const store = createNameStore((wire) => lastLabels(wire, 2));
  const names = Array.from(
    { length: 12_000 },
    (_, at) => [`n${at}.a.b`, { a: [`10.0.${at >> 8}.${at & 255}`] }] as const,
  );
  store.write(packDiff({ names, reverse: [], serial: 0, revision: "1" }).names);
  const first = nameFromText("n0.a.b") ?? "";
  const held = store.get(first);
  assert.equal(store.get(first), held);
  for (const [text, { a }] of names) assert.deepEqual(store.get(nameFromText(text) ?? "")?.entry.a, a);
  assert.notEqual(store.get(first), held);
  assert.deepEqual(store.get(first)?.entry, held?.entry);
});

test("owners of addresses are those of a map of lists", () => {
  const address = fc.oneof(
    fc.tuple(fc.nat(3), fc.nat(40)).map(([c, d]) => `${d}.${c}.0.10.in-addr.arpa`),
    fc.nat(5).map((nibble) => `${nibble}.0.ip6.arpa`),
  );
  const step = fc.tuple(fc.boolean(), address, fc.constantFrom("dev/a", "dev/b", "dev/c"));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const owners = createAddressOwners();
      const known = new Map<string, string[]>();
      for (const [adds, at, key] of steps) {
        const others = (known.get(at) ?? []).filter((other) => other !== key);
        if (!adds) {
          owners.remove(at, key);
          known.set(at, others);
        } else if (!known.get(at)?.includes(key)) {
          owners.add(at, key);
          known.set(at, [...others, key]);
        } else owners.add(at, key);
      }
      for (const [at, keys] of known) assert.deepEqual(owners.of(at), keys, at);
    }),
  );
});
