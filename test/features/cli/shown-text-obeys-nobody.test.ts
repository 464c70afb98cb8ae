import assert from "node:assert/strict";
import { test } from "node:test";
import { renderEvent, table } from "#cli/render.ts";

const escape = "\u001b]0;title\u0007\u001b[2J\r\u009b31m\u202eabc";
const shown = "\\u001b]0;title\\u0007\\u001b[2J\\u000d\\u009b31m\\u202eabc";

test("signs that a terminal obeys are shown as what they are", () => {
  for (const style of ["plain", "terminal"] as const) {
    const text = renderEvent({ type: "warning", text: `image ${escape} is not here` }, style);
    assert.ok(text.includes(`image ${shown} is not here`), JSON.stringify(text));
    assert.ok(!text.includes("\u009b") && !text.includes("\u0007"));
  }
});

test("lines of a text stay lines, and other scripts stay readable", () => {
  assert.equal(renderEvent({ type: "error", text: "one\n  zwei ü 三" }, "plain"), "✗ one\n  zwei ü 三\n");
});

test("a cell of a table cannot begin another line", () => {
  assert.equal(table([["a\nb", escape]]), `  a\\nb   ${shown}\n`);
});
