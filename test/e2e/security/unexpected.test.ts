import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../cluster.ts";

const source = join(import.meta.dirname, "../../../src/roles");

for (const [how, statement] of [
  ["an exception", "setImmediate(() => { throw new Error('broken') })"],
  ["a rejection that nobody handles", "void Promise.reject(new Error('broken'))"],
] as const) {
  test(`${how} is logged with its stack, told in one line, and ends the process`, () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-unexpected-"));
    const file = join(folder, "log");
    const script = [
      `import { openLog } from ${JSON.stringify(`${source}/log.ts`)}`,
      `import { endOnUnexpected } from ${JSON.stringify(`${source}/unexpected.ts`)}`,
      `endOnUnexpected(openLog(${JSON.stringify(file)}, "test"), (text) => console.error("unexpected: " + text))`,
      "setInterval(() => {}, 1000)",
      statement,
    ].join(";\n");
    const outcome = run(process.execPath, ["--input-type=module", "--eval", script]);
    assert.equal(outcome.status, 70);
    assert.equal(outcome.stderr, "unexpected: broken\n");
    const line = JSON.parse(readFileSync(file, "utf8")) as { level: number; error: string; stack: string };
    assert.equal(line.level, 50);
    assert.match(line.stack, /^Error: broken\n {4}at /);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    rmSync(folder, { recursive: true });
  });
}
