import { readdirSync, rmSync } from "node:fs";
import { namespacesWith, dropStaleNames } from "../../network/apply.ts";
import { run } from "../../run.ts";
import { cableNames, podNetnsPrefix } from "./cable.ts";
import { bundleOf, type Layout } from "./layout.ts";
import { findProgram } from "./program.ts";
import { makeFolders, readContainers, readSandboxes } from "./record.ts";
import { removalScript } from "./shim.ts";

/**
 * Removes what an agent that was killed in the middle of making or removing something has left without a record:
 * namespaces of pods, and folders of containers.
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
    const { program, args } = removalScript(layout, id, findProgram("runc") ?? "runc");
    await run(program, args, { timeoutMs: 10_000 });
    rmSync(bundleOf(layout, id).folder, { recursive: true, force: true });
  }
}
