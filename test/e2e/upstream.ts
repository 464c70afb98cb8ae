import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

/** The world's DNS as a test wants it: a server on loopback that the machine's resolv.conf names. */
export interface Upstream {
  stop(): Promise<void>;
}

export type UpstreamNames = Readonly<Record<string, { cname?: string; a?: string[]; ttl: number }>>;

/**
 * Starts the server and puts its address into /etc/resolv.conf, by a bind mount that only this sandbox sees. It answers
 * on a thread of its own, since tests block theirs while they run programs.
 */
export async function startUpstream(names: UpstreamNames): Promise<Upstream> {
  const worker = new Worker(new URL("./upstream-worker.ts", import.meta.url), { workerData: names });
  await new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
  const file = join(mkdtempSync(join(tmpdir(), "fairlead-resolv-")), "resolv.conf");
  writeFileSync(file, "nameserver 127.0.0.53\n");
  spawnSync("mount", ["--bind", file, "/etc/resolv.conf"]);
  return {
    async stop() {
      spawnSync("umount", ["/etc/resolv.conf"]);
      await worker.terminate();
    },
  };
}
