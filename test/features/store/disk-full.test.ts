import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { StoreError } from "#store/error.ts";
import { put, write } from "../../conformance/store/suite.ts";

test("a write that finds no space is refused and undone, and the store goes on", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "state.db");
  // SQLite answers SQLITE_FULL at its page limit exactly as it does at the end of the disk.
  const store = await openSqliteStore(path, { limitBytes: 120_000 });
  t.after(() => store.close());
  await put(store, "/small", "1");

  await assert.rejects(store.commit([write("/big", "x".repeat(200_000))]), (error) => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.code, "full");
    assert.ok(error.message.includes(path));
    return true;
  });
  assert.equal(await store.get("/big"), undefined);
  assert.equal(await store.revision(), 1);
  assert.equal(await put(store, "/other", "fits"), 2);
});
