import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packTexts, unpackTexts } from "#base/packed-texts.ts";

test("texts come out of a packed one as they went in", () => {
  const texts = fc.array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("10.0.0.1", "10.0.0.12", "10.0.0.121", ""),
      fc.string({ minLength: 1, maxLength: 1 }).map((one) => one.repeat(70_000)),
    ),
  );
  fc.assert(
    fc.property(texts, fc.string(), (all, like) => {
      assert.deepEqual(unpackTexts(packTexts(all, like), like), all);
    }),
  );
});

test("texts that are alike take a few characters each", () => {
  const all = Array.from({ length: 100 }, (_, at) => `10-0-0-${at}.web.dev.svc.cluster.local`);
  assert.ok(packTexts(all).length < 100 * 6);
});
