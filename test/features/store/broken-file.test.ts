import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { StoreError, type StoreErrorCode } from "#store/error.ts";
import { put } from "../../conformance/store/suite.ts";

test("a file that cannot be the store is refused by name, with what to do, and is not changed", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const refused = async (path: string, code: StoreErrorCode) => {
    await assert.rejects(openSqliteStore(path), (error) => {
      assert.ok(error instanceof StoreError, String(error));
      assert.equal(error.code, code, error.message);
      assert.ok(error.message.includes(path), error.message);
      assert.match(error.message, /: \w/);
      return true;
    });
  };

  const words = join(directory, "words.txt");
  writeFileSync(words, "this is a letter, not a database. ".repeat(100));
  await refused(words, "foreign");
  assert.match(readFileSync(words, "utf8"), /^this is a letter/);

  const others = join(directory, "others.db");
  const other = new DatabaseSync(others);
  other.exec("CREATE TABLE songs (title TEXT)");
  other.close();
  await refused(others, "foreign");

  const newer = join(directory, "newer.db");
  await (await openSqliteStore(newer)).close();
  const touched = new DatabaseSync(newer);
  touched.exec("PRAGMA user_version = 99");
  touched.close();
  await refused(newer, "too-new");

  const torn = join(directory, "torn.db");
  const store = await openSqliteStore(torn);
  for (let index = 0; index < 50; index += 1) await put(store, `/key/${index}`, "x".repeat(2000));
  await store.close();
  truncateSync(torn, 40_000);
  await refused(torn, "damaged");

  await refused(directory, "io");

  const held = join(directory, "held.db");
  const holder = await openSqliteStore(held);
  await refused(held, "locked");
  assert.equal(await put(holder, "/still", "works"), 1);
  await holder.close();
  await (await openSqliteStore(held)).close();
});
