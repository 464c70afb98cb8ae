import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { backupPath } from "#apiserver/backup.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createConnection } from "#client/remote-connection.ts";
import { backupFile, restoreFile } from "#store/drivers/sqlite-backup.ts";
import { StoreError } from "#store/error.ts";
import { claimFolder } from "./claim.ts";
import { RoleError, step, type Report } from "./report.ts";
import { dataPaths, isAlive, readState, type DataPaths, type RunState } from "./state.ts";

/** Writes all objects of a cluster, whether it runs or not, into one new file. Rejects with `RoleError`. */
export async function runBackupRole(dataDir: string, file: string, report: Report): Promise<void> {
  const paths = dataPaths(dataDir);
  const state = readState(paths);
  refuseEtcd(state, `etcdctl snapshot save ${file}`);
  if (existsSync(file)) throw new RoleError(`${file} is there already`, "name a new file");
  if (isRunning(state)) {
    await step(report, "backup", `Objects of the running cluster written to ${file}`, () => download(paths, file));
  } else {
    if (!existsSync(paths.store)) throw new RoleError(`there is no cluster in ${dataDir}`, "name it with --data-dir");
    await step(report, "backup", `Objects of the stopped cluster written to ${file}`, () =>
      alone(paths, () => backupFile(paths.store, file)),
    );
  }
  report({ type: "notice", text: `${file} holds the contents of Secrets: only you may read it, keep it so` });
}

/** Puts a backup into a data folder; over a cluster that is there only with `force`. Rejects with `RoleError`. */
export async function runRestoreRole(
  dataDir: string,
  file: string,
  { force }: { force: boolean },
  report: Report,
): Promise<void> {
  const paths = dataPaths(dataDir);
  const state = readState(paths);
  refuseEtcd(state, `etcdctl snapshot restore ${file}`);
  if (isRunning(state)) throw new RoleError(`the cluster in ${dataDir} runs`, "stop it first: fairlead down");
  if (existsSync(paths.store) && !force) {
    throw new RoleError(
      `there is a cluster in ${dataDir}`,
      "restore into another folder with --data-dir, or put the backup in its place with --force: its objects are lost then",
    );
  }
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  await step(report, "restore", `Objects restored from ${file}`, () =>
    alone(paths, () => void restoreFile(file, paths.store)),
  );
  report({ type: "notice", text: `fairlead up --data-dir ${dataDir} goes on with them` });
}

function isRunning(state: RunState | undefined): boolean {
  return state !== undefined && state.phase !== "stopped" && isAlive(state.process);
}

function refuseEtcd(state: RunState | undefined, command: string): void {
  const servers = state?.options.etcd?.servers.join(",");
  if (servers === undefined) return;
  throw new RoleError(
    `the objects of this cluster are in etcd at ${servers}`,
    `its own tool does this: ETCDCTL_API=3 ${command}`,
  );
}

/** No cluster may start from the folder meanwhile. */
function alone(paths: DataPaths, work: () => void): void {
  const claim = claimFolder(paths.lock);
  if (claim === undefined) throw new RoleError(`a cluster starts in ${paths.root} at this moment`, "try again");
  try {
    work();
  } catch (error) {
    throw error instanceof StoreError ? new RoleError(error.message) : error;
  } finally {
    claim.release();
  }
}

async function download(paths: DataPaths, file: string): Promise<void> {
  const readFile = (path: string) => readFileSync(path, "utf8");
  const connection = createConnection({ ...parseKubeconfig(readFile(paths.kubeconfig), { readFile }) });
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      connection.open(backupPath, { answer: resolve, failed: reject });
    });
    await pipeline(answer, createWriteStream(file, { flags: "wx", mode: 0o600 }));
    if (!answer.complete) throw new Error("the answer broke off");
  } catch (error) {
    rmSync(file, { force: true });
    throw new RoleError(`the backup failed: ${(error as Error).message}`, "see whether it runs: fairlead status");
  } finally {
    connection.close();
  }
}
