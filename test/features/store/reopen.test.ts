import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CompactedError, type StoreEvent } from "#store/contract.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { put, text } from "../../conformance/store/suite.ts";

test("a store in a file is the same when opened again: entries, revision, history and compaction", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "deep", "state.db");
  const first = await openSqliteStore(path);
  await put(first, "/a", "1");
  await put(first, "/a", "2");
  await put(first, "/b", "1");
  await first.compact(1);
  await first.commit([{ type: "delete", key: "/b" }]);
  await first.close();
  assert.equal(statSync(path).mode & 0o777, 0o600);

  const again = await openSqliteStore(path);
  t.after(() => again.close());
  assert.equal(await again.revision(), 4);
  assert.deepEqual(
    (await again.list({ prefix: "/" })).entries.map(({ key, value, modRevision }) => [key, text(value), modRevision]),
    [["/a", "2", 2]],
  );
  assert.equal(text((await again.get("/a", 1))?.value), "1");
  assert.equal(text((await again.get("/b", 3))?.value), "1");
  await assert.rejects(again.get("/a", 0), CompactedError);
  const events: StoreEvent[] = [];
  again.watch("/", 1, { event: (event) => events.push(event), end() {} });
  assert.equal(await put(again, "/c", "1"), 5);
  assert.deepEqual(
    events.map(({ revision, type, key }) => `${revision} ${type} ${key}`),
    ["2 put /a", "3 put /b", "4 delete /b", "5 put /c"],
  );
});
