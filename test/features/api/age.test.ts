import assert from "node:assert/strict";
import { test } from "node:test";
import { ageSince, humanDuration } from "#api/meta/age.ts";

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

test("a span has at most two units, and fewer the longer it is", () => {
  const cases: [number, string][] = [
    [-2 * second, "<invalid>"],
    [-1, "0s"],
    [0, "0s"],
    [119 * second, "119s"],
    [120 * second, "2m"],
    [305 * second, "5m5s"],
    [600 * second, "10m"],
    [3 * hour - 1, "179m"],
    [3 * hour, "3h"],
    [7 * hour + 30 * 60 * second, "7h30m"],
    [8 * hour, "8h"],
    [2 * day - 1, "47h"],
    [2 * day, "2d"],
    [3 * day + 5 * hour, "3d5h"],
    [8 * day, "8d"],
    [729 * day, "729d"],
    [730 * day, "2y"],
    [760 * day, "2y30d"],
    [8 * 365 * day, "8y"],
  ];
  for (const [span, text] of cases) assert.equal(humanDuration(span), text);
});

test("without a time the age is unknown", () => {
  assert.equal(ageSince(undefined, 0), "<unknown>");
  assert.equal(ageSince(null, 0), "<unknown>");
  assert.equal(ageSince("1970-01-01T00:00:00Z", 5 * second), "5s");
});
