import { readFileSync } from "node:fs";
import type { Store } from "#store/contract.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { rewriteStale } from "#store/encryption/rewrite.ts";
import { createEncryptedStore, type WaysOf } from "#store/encryption/store.ts";
import type { EtcdFlags, UpOptions } from "./options.ts";
import { RoleError } from "./report.ts";
import type { DataPaths } from "./state.ts";

type StoreOptions = Pick<UpOptions, "etcd" | "encryptionConfig">;

/**
 * Where the objects are: the file of the data folder, or etcd; encrypted as its configuration says, and what is there
 * already is written anew by it. Rejects with `StoreError` or `RoleError`.
 */
export async function openStore({ encryptionConfig, ...options }: StoreOptions, paths: DataPaths): Promise<Store> {
  if (encryptionConfig === undefined) return createEncryptedStore(await openPlain(options, paths, false), asTheyAre);
  const { loadEncryption } = await import("./encryption.ts");
  const waysOf = loadEncryption(encryptionConfig);
  const store = await openPlain(options, paths, true);
  try {
    await rewriteStale(store, waysOf);
  } catch (error) {
    await store.close();
    throw error;
  }
  return createEncryptedStore(store, waysOf);
}

const asTheyAre: WaysOf = () => ["identity"];

async function openPlain({ etcd }: StoreOptions, paths: DataPaths, erase: boolean): Promise<Store> {
  if (etcd === undefined) return openSqliteStore(paths.store, { erase });
  const tls = tlsOf(etcd);
  // Its client takes time and memory, which only those pay who use it.
  const { openEtcdStore } = await import("#store/drivers/etcd.ts");
  return openEtcdStore({ servers: etcd.servers, tls });
}

function tlsOf({ cafile, certfile, keyfile }: EtcdFlags) {
  return {
    ca: readPem("etcd-cafile", cafile),
    certificate: readPem("etcd-certfile", certfile),
    key: readPem("etcd-keyfile", keyfile),
  };
}

function readPem(flag: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  let pem: Buffer;
  try {
    pem = readFileSync(path);
  } catch (error) {
    throw new RoleError(`--${flag}: ${path} cannot be read (${(error as Error).message})`, "name a file in PEM");
  }
  if (!pem.includes("-----BEGIN ")) throw new RoleError(`--${flag}: ${path} is not PEM`, "name a file in PEM");
  return pem;
}
