import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openLog } from "#roles/log.ts";

test("a log begins anew when it has grown, keeps the one before, and takes no line apart", () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-log-"));
  const file = join(folder, "data", "server.log");
  const log = openLog(file, "test", 10_000);
  for (let index = 0; index < 500; index += 1) log.warn({ path: `/${index}\n\u001b[31m`, index }, "refused");
  const kept = readdirSync(join(folder, "data"));
  assert.deepEqual(kept.sort(), ["server.log", "server.log.1"]);
  const lines = [...kept].reverse().flatMap((name) =>
    readFileSync(join(folder, "data", name), "utf8")
      .trimEnd()
      .split("\n"),
  );
  const indexes = lines.map((line) => (JSON.parse(line) as { index: number }).index);
  assert.equal(indexes.at(-1), 499);
  assert.deepEqual(
    indexes,
    Array.from({ length: indexes.length }, (_, index) => 500 - indexes.length + index),
  );
  for (const name of kept) {
    const { size, mode } = statSync(join(folder, "data", name));
    assert.ok(size < 10_500);
    assert.equal(mode & 0o777, 0o600);
  }
  rmSync(folder, { recursive: true });
  log.warn({}, "nowhere to write to is no failure");
});
