import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { StoreEvent } from "#store/contract.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { StoreError } from "#store/error.ts";
import { eventually } from "../../fakes/eventually.ts";

const put = (key: string) => [{ type: "put" as const, key, value: new TextEncoder().encode(key) }];

/** A disk that syncs when it is told to. */
function startDisk() {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-sync-"));
  const waiting: PromiseWithResolvers<void>[] = [];
  return {
    waiting,
    open: () =>
      openSqliteStore(join(dir, "store.db"), {
        sync() {
          const sync = Promise.withResolvers<void>();
          waiting.push(sync);
          return sync.promise;
        },
      }),
    remove: () => rmSync(dir, { recursive: true }),
  };
}

test("nothing is seen or acknowledged before the disk has it, and what comes meanwhile is synced together", async () => {
  const disk = startDisk();
  const store = await disk.open();
  const told: string[] = [];
  store.watch("/", 0, { event: ({ key }: StoreEvent) => void told.push(key), end() {} });
  const acknowledged: string[] = [];
  const write = (key: string) => store.commit(put(key)).then(() => acknowledged.push(key));

  const first = write("/a");
  await eventually(() => assert.equal(disk.waiting.length, 1));
  const others = [write("/b"), write("/c")];
  assert.deepEqual([acknowledged, told, await store.get("/a")], [[], [], undefined]);

  disk.waiting[0]?.resolve();
  await first;
  await eventually(() => assert.equal(disk.waiting.length, 2));
  assert.deepEqual([acknowledged, told], [["/a"], ["/a"]]);

  disk.waiting[1]?.resolve();
  await Promise.all(others);
  assert.equal(disk.waiting.length, 2);
  assert.deepEqual(told, ["/a", "/b", "/c"]);
  await store.close();
  disk.remove();
});

test("what waits when the store is closed is made durable first", async () => {
  const disk = startDisk();
  const store = await disk.open();
  const first = store.commit(put("/a"));
  await eventually(() => assert.equal(disk.waiting.length, 1));
  const second = store.commit(put("/b"));
  const closed = store.close();
  disk.waiting[0]?.resolve();
  await eventually(() => assert.equal(disk.waiting.length, 2));
  disk.waiting[1]?.resolve();
  assert.deepEqual(
    [await first, await second],
    [
      { ok: true, revision: 1 },
      { ok: true, revision: 2 },
    ],
  );
  await closed;
  disk.remove();
});

test("a disk that fails to sync refuses that write and all after it, and what was there is still read", async () => {
  const disk = startDisk();
  const store = await disk.open();
  const good = store.commit(put("/a"));
  await eventually(() => assert.equal(disk.waiting.length, 1));
  disk.waiting[0]?.resolve();
  await good;

  const lost = store.commit(put("/b"));
  await eventually(() => assert.equal(disk.waiting.length, 2));
  disk.waiting[1]?.reject(new Error("EIO: i/o error, fdatasync"));
  const isRefused = (error: unknown) =>
    error instanceof StoreError &&
    error.code === "io" &&
    /syncing to disk failed \(EIO.*start again/.test(error.message);
  await assert.rejects(lost, isRefused);
  await assert.rejects(store.commit(put("/c")), isRefused);
  assert.notEqual(await store.get("/a"), undefined);
  assert.equal(await store.get("/b"), undefined);
  await store.close();
  disk.remove();
});
