import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { foreignFolder, problemOf } from "#roles/own-folder.ts";

const folder = 0o040000;
const cases: [what: string, uid: number, mode: number, problem: string | undefined][] = [
  ["a folder of one's own", 0, 0o700, undefined],
  ["one that others may read", 0, 0o755, undefined],
  ["one of whoever called sudo", 1000, 0o755, undefined],
  ["another user's", 1001, 0o700, "it belongs to another user (1001)"],
  ["one that the group may write into", 0, 0o775, "others may write into it"],
  ["the temporary folder itself", 0, 0o1777, "others may write into it"],
];

for (const [what, uid, mode, problem] of cases) {
  test(`${what} is ${problem === undefined ? "taken" : "refused"} as data folder`, () => {
    assert.equal(problemOf({ uid, mode: folder | mode }, [0, 1000]), problem);
  });
}

test("a folder that is not there yet is nobody's", () => {
  const own = mkdtempSync(join(tmpdir(), "fairlead-own-"));
  assert.equal(foreignFolder(join(own, "new"), []), undefined);
  assert.equal(foreignFolder(own, [process.getuid?.()]), undefined);
  assert.match(foreignFolder(own, [1 + (process.getuid?.() ?? 0)]) ?? "", /another user/);
  rmSync(own, { recursive: true });
});
