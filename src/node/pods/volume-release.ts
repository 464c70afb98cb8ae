import { readFileSync, rmSync } from "node:fs";
import { run } from "../run.ts";

/** Removes all that a pod has on disk, its volumes among it. */
export async function removePodFolder(podFolder: string): Promise<void> {
  await releaseVolumes(podFolder);
  rmSync(podFolder, { recursive: true, force: true, maxRetries: 3 });
}

/** Unmounts what was mounted for a pod's volumes. */
async function releaseVolumes(podFolder: string): Promise<void> {
  const targets = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replaceAll("\\040", " "))
    .filter((target) => target.startsWith(`${podFolder}/`));
  for (const target of targets.reverse()) await run("umount", ["-l", target]);
}
