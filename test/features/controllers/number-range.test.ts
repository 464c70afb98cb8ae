import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createNumberRange } from "#controllers/allocation/range.ts";

test("a range gives out each number once, whatever is taken and given back", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3000 }),
      fc.nat(300),
      fc.array(fc.record({ what: fc.constantFrom("pick", "take", "release"), number: fc.nat(3000) }), {
        maxLength: 60,
      }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      (size, reserved, steps, chances) => {
        const range = createNumberRange({ size, reserved, random: () => chances.next().value ?? 0 });
        const held = new Set<number>();
        for (const { what, number } of steps) {
          if (what === "release") {
            range.release(number, "a");
            held.delete(number);
          } else if (what === "take" && number < size) {
            assert.equal(range.take(number, "a"), !held.has(number));
            held.add(number);
          } else if (what === "pick") {
            const picked = range.pick("a");
            assert.equal(picked === undefined, held.size === size);
            if (picked === undefined) continue;
            assert.ok(picked >= 0 && picked < size && !held.has(picked));
            held.add(picked);
          }
          assert.equal(range.taken, held.size);
        }
      },
    ),
  ));

test("the last free number of a large range is found and only its holder gives it back", () => {
  const size = 1 << 18;
  const range = createNumberRange({ size, reserved: 256, random: () => 0.3 });
  for (let number = 0; number < size; number += 1) if (number !== 200_000) range.take(number, "a");
  assert.equal(range.pick("b"), 200_000);
  assert.equal(range.pick("b"), undefined);
  range.release(200_000, "a");
  assert.equal(range.pick("a"), undefined);
  range.release(200_000, "b");
  assert.equal(range.pick("a"), 200_000);
});
