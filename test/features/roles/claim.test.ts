import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { claimFolder } from "#roles/claim.ts";

test("of two that want a data folder one gets it, and the other when it was given back", () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-claim-"));
  const file = join(folder, "cluster", "lock");
  const first = claimFolder(file);
  assert.ok(first !== undefined);
  assert.equal(claimFolder(file), undefined);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  first.release();
  const second = claimFolder(file);
  assert.ok(second !== undefined);
  second.release();
  rmSync(folder, { recursive: true });
});
