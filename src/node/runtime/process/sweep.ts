import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { namespacesWith, dropStaleNames } from "../../network/apply.ts";
import { run } from "../../run.ts";
import { cableNames, podNetnsPrefix } from "./cable.ts";
import { listControllers, removeTree } from "./cgroup.ts";
import { bundleOf, type Layout } from "./layout.ts";
import { findProgram } from "./program.ts";
import { makeFolders, readContainers, readSandboxes } from "./record.ts";
import { discard } from "./shim.ts";

/**
 * Removes what an agent that was killed in the middle of making or removing something has left without a record:
 * namespaces of pods, and folders, exit codes, sockets and control groups of containers.
 */
export async function sweep(layout: Layout): Promise<void> {
  makeFolders(layout);
  dropStaleNames(podNetnsPrefix(layout.clusterId));
  const sandboxes = readSandboxes(layout);
  const wanted = new Set(sandboxes.map(({ id }) => cableNames(layout.clusterId, id).netnsName));
  for (const name of namespacesWith(podNetnsPrefix(layout.clusterId)).real) {
    if (!wanted.has(name)) await run("ip", ["netns", "del", name]);
  }
  const known = new Set(sandboxes.map(({ id }) => id));
  const containers = readContainers(layout);
  const keep = new Set(containers.filter(({ sandboxId }) => known.has(sandboxId)).map(({ id }) => id));
  for (const id of readdirSync(layout.containers)) {
    if (keep.has(id)) continue;
    await discard(layout, id, findProgram("runc") ?? "runc", true);
    rmSync(bundleOf(layout, id).folder, { recursive: true, force: true });
  }
  for (const folder of [layout.exits, layout.sockets]) {
    for (const id of readdirSync(folder)) if (!keep.has(id)) rmSync(join(folder, id), { recursive: true, force: true });
  }
  sweepCgroups(layout, new Set(sandboxes.map(({ config }) => config.uid)), keep);
}

function sweepCgroups(layout: Layout, pods: ReadonlySet<string>, containers: ReadonlySet<string>): void {
  for (const controller of listControllers()) {
    const root = join("/sys/fs/cgroup", controller, layout.cgroup);
    for (const uid of foldersIn(root)) {
      if (!pods.has(uid)) removeTree(join(root, uid));
      else for (const id of foldersIn(join(root, uid))) if (!containers.has(id)) removeTree(join(root, uid, id));
    }
  }
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
