import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "#store/contract.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { startEtcd, whyNoEtcd } from "./etcd.ts";

export interface OpenStore {
  readonly store: Store;
  /** Closes the store and takes away what it left. */
  readonly dispose: () => Promise<void>;
}

/** Every driver, each over data of its own; for what must hold on all of them. */
export const drivers: readonly { name: string; skip: string | false; open: () => Promise<OpenStore> }[] = [
  { name: "memory", skip: false, open: openMemory },
  { name: "SQLite", skip: false, open: openSqlite },
  { name: "etcd", skip: whyNoEtcd(), open: openEtcd },
];

export async function openMemory(): Promise<OpenStore> {
  const store = createMemoryStore();
  return { store, dispose: () => store.close() };
}

export async function openSqlite(): Promise<OpenStore> {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  const store = await openSqliteStore(join(directory, "state.db"));
  return {
    store,
    async dispose() {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

async function openEtcd(): Promise<OpenStore> {
  const etcd = await startEtcd();
  const { openEtcdStore } = await import("#store/drivers/etcd.ts");
  const store = await openEtcdStore({ servers: [etcd.url] });
  return {
    store,
    async dispose() {
      await store.close();
      await etcd.dispose();
    },
  };
}
