import { readFileSync } from "node:fs";
import type { Store } from "#store/contract.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import type { EtcdFlags, UpOptions } from "./options.ts";
import { RoleError } from "./report.ts";
import type { DataPaths } from "./state.ts";

/** Where the objects are: the file of the data folder, or etcd. Rejects with `StoreError` or `RoleError`. */
export async function openStore({ etcd }: Pick<UpOptions, "etcd">, paths: DataPaths): Promise<Store> {
  if (etcd === undefined) return openSqliteStore(paths.store);
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
