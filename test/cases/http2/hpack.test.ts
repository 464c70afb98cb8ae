import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HpackDecoder } from "#wire/http2/hpack/decoder.ts";
import { FieldLines } from "#wire/http2/hpack/lines.ts";

// A case is `# name`, `table BYTES`, then blocks of one connection in turn: `> hex` and `= fields`, or `= refused`.
const text = readFileSync(new URL("hpack.txt", import.meta.url), "utf8");

for (const part of text.split(/^# /m).slice(1)) {
  const [name = "", table = "", ...rest] = part.split("\n");
  test(`HPACK: ${name}`, () => {
    const tableSize = Number(table.replace("table ", ""));
    const decoder = new HpackDecoder({ inspect: () => 0, tableSize, listSize: 1 << 16 });
    const lines = new FieldLines();
    let block = Buffer.alloc(0);
    let checked = 0;
    for (const line of rest) {
      if (line.startsWith("> ")) block = Buffer.from(line.slice(2).replaceAll(" ", ""), "hex");
      if (!line.startsWith("= ")) continue;
      const error = decoder.decode(block, 0, block.length, lines);
      const fields = Array.from({ length: lines.count }, (_, at) => `${lines.name(at)}: ${lines.value(at)}`);
      assert.equal(error === 0 ? fields.join(" | ") : "refused", line.slice(2));
      checked += 1;
    }
    assert.ok(checked > 0);
  });
}
