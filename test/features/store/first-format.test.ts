import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CompactedError, type StoreEvent } from "#store/contract.ts";
import { restoreFile } from "#store/drivers/sqlite-backup.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { put, text } from "../../conformance/store/suite.ts";

/** As the first format had it: `/a` made and changed, `/b` made and deleted; compacted up to 1. */
const written = `
  CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL)
    WITHOUT ROWID;
  CREATE TABLE log (position INTEGER PRIMARY KEY, revision INTEGER NOT NULL, key TEXT NOT NULL, value BLOB,
    created INTEGER, old_value BLOB, old_created INTEGER, old_modified INTEGER);
  CREATE INDEX log_revision ON log (revision);
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO kv VALUES ('/a', x'32', 1, 2);
  INSERT INTO log VALUES (2, 2, '/a', x'32', 1, x'31', 1, 1), (3, 3, '/b', x'31', 3, NULL, NULL, NULL),
    (4, 4, '/b', NULL, NULL, x'31', 3, 3);
  INSERT INTO meta VALUES ('revision', 4), ('oldest', 1);
  PRAGMA application_id = 0x46524c44;
  PRAGMA user_version = 1;
`;

function firstFormat(t: { after(done: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "state.db");
  const database = new DatabaseSync(path);
  database.exec(written);
  database.close();
  return path;
}

test("a file of the first format is opened with all that is in it, once and again", async (t) => {
  const path = firstFormat(t);
  for (const round of [0, 1]) {
    const store = await openSqliteStore(path);
    assert.equal(await store.revision(), 4 + round);
    assert.equal(text((await store.get("/a", 1))?.value), "1");
    assert.equal(text((await store.get("/b", 3))?.value), "1");
    await assert.rejects(store.get("/a", 0), CompactedError);
    const events: StoreEvent[] = [];
    store.watch("/", 1, { event: (event) => events.push(event), end() {} });
    await put(store, `/new-${round}`, "1");
    const told = events.map(
      ({ revision, type, key, previous }) => `${revision} ${type} ${key} ${text(previous?.value)}`,
    );
    assert.deepEqual(told.slice(0, 4), ["2 put /a 1", "3 put /b ", "4 delete /b 1", "5 put /new-0 "]);
    await store.close();
  }
});

test("a backup of the first format is restored", async (t) => {
  const path = firstFormat(t);
  const revision = restoreFile(path, `${path}.new`);
  assert.ok(revision > 4);
  const store = await openSqliteStore(`${path}.new`);
  assert.deepEqual([await store.revision(), text((await store.get("/a"))?.value)], [revision, "2"]);
  await store.close();
});
