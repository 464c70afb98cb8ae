import { after } from "node:test";
import { createCipher } from "#store/encryption/cipher.ts";
import { createEncryptedStore } from "#store/encryption/store.ts";
import { startEtcd, whyNoEtcd, type TestEtcd } from "../../fakes/etcd.ts";
import { openMemory, openSqlite } from "../../fakes/stores.ts";
import { describeStore } from "./suite.ts";

describeStore("memory", openMemory);

describeStore("sqlite", openSqlite);

const ways = [createCipher("aesgcm", "k", Buffer.alloc(32, 7)), "identity"] as const;
describeStore("encrypted", async () => {
  const { store, dispose } = await openMemory();
  return { store: createEncryptedStore(store, () => ways), dispose };
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
