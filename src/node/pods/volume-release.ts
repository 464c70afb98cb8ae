import { readFileSync } from "node:fs";
import { run } from "../run.ts";

/** Unmounts what was mounted for a pod's volumes. */
export async function releaseVolumes(podFolder: string): Promise<void> {
  const targets = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replaceAll("\\040", " "))
    .filter((target) => target.startsWith(`${podFolder}/`));
  for (const target of targets.reverse()) await run("umount", ["-l", target]);
}
