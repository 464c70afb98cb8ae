import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { startEtcd, whyNoEtcd, type TestEtcd } from "../../fakes/etcd.ts";
import { describeStore } from "./suite.ts";

describeStore("memory", async () => {
  const store = createMemoryStore();
  return { store, dispose: () => store.close() };
});

describeStore("sqlite", async () => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  const store = await openSqliteStore(join(directory, "state.db"));
  return {
    store,
    async dispose() {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
});

let etcd: Promise<TestEtcd> | undefined;
after(async () => (await etcd)?.dispose());

describeStore(
  "etcd",
  async () => {
    const { url } = await (etcd ??= startEtcd());
    const { openEtcdStore } = await import("#store/drivers/etcd.ts");
    const store = await openEtcdStore({ servers: [url] });
    // One server for all: each promise begins with no keys, at whatever revision.
    const { entries } = await store.list({ prefix: "" });
    await store.commit(entries.map(({ key }) => ({ type: "delete", key })));
    return { store, dispose: () => store.close() };
  },
  { skip: whyNoEtcd() },
);
