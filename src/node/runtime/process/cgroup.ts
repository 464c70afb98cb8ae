import { readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout.ts";

/** The hierarchies of cgroup v1, or the single one of v2 as `.`. */
export function listControllers(): string[] {
  try {
    const names = readdirSync("/sys/fs/cgroup", { withFileTypes: true });
    if (names.some(({ name }) => name === "cgroup.controllers")) return ["."];
    return names.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

/** The control groups of a pod, one a controller; empty ones are removed by the caller. */
export function cgroupFolders(layout: Layout, podUid: string, controllers: readonly string[]): string[] {
  return controllers.map((controller) => join("/sys/fs/cgroup", controller, layout.cgroup, podUid));
}

/** Control groups are removed from the leaves up, with rmdir only. */
export function removeTree(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(folder, entry.name));
    }
    rmdirSync(folder);
  } catch {
    // Not there, or a process is still in it.
  }
}
