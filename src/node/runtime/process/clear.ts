import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { namespacesWith, dropStaleNames } from "../../network/apply.ts";
import { run } from "../../run.ts";
import { podNetnsPrefix } from "./cable.ts";
import { layoutOf, type Layout } from "./layout.ts";
import { findProgram } from "./program.ts";
import { readContainers, readSandboxes } from "./record.ts";
import { listControllers, removeTree } from "./cgroup.ts";
import { discard, processesWith } from "./shim.ts";

/**
 * Removes every pod of a cluster from this machine by what is on disk and in the kernel, for when no agent runs. Safe to
 * repeat, and on a half-removed or never-started cluster.
 */
export async function removeAllPods(dataDir: string, clusterId: string): Promise<void> {
  const layout = layoutOf(clusterId, dataDir);
  const runc = findProgram("runc") ?? "runc";
  await inTurns(2, readContainers(layout), ({ id }) => discard(layout, id, runc, true));
  for (const target of mountsBelow(dataDir)) await run("umount", ["-l", target]);
  const prefix = podNetnsPrefix(clusterId);
  dropStaleNames(prefix);
  const names = namespacesWith(prefix).real.map((name) => `netns del ${name}`);
  if (names.length > 0) await run("ip", ["-force", "-batch", "-"], { input: `${names.join("\n")}\n` });
  for (const controller of listControllers()) removeTree(join("/sys/fs/cgroup", controller, layout.cgroup));
  for (const folder of ownFolders(layout)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** What of the pods is on this machine now, in words for a person; empty when nothing is left. */
export function inspectPodLeftovers(dataDir: string, clusterId: string): string[] {
  const layout = layoutOf(clusterId, dataDir);
  return [
    ...readSandboxes(layout).map(({ config }) => `pod ${config.namespace}/${config.name}`),
    ...readContainers(layout).map(({ id, config }) => `container ${config.name} (${id.slice(0, 12)})`),
    ...namespacesWith(podNetnsPrefix(clusterId)).real.map((name) => `network namespace ${name}`),
    ...mountsBelow(dataDir).map((target) => `mount ${target}`),
    ...cgroupsOf(layout).map((folder) => `cgroup ${folder}`),
    // Shims of containers name the folder they keep them in.
    ...processesWith(["--exit-dir", layout.exits]).map((pid) => `process ${pid}`),
  ];
}

function cgroupsOf(layout: Layout): string[] {
  return listControllers()
    .map((controller) => join("/sys/fs/cgroup", controller, layout.cgroup))
    .filter((folder) => existsSync(folder));
}

function ownFolders(layout: Layout): string[] {
  const { sandboxes, containers, exits, pods, programs } = layout;
  return [sandboxes, containers, exits, pods, programs, `/run/fairlead-${layout.clusterId}`];
}

/** Mount points at or under a folder, deepest first. */
function mountsBelow(folder: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replaceAll("\\040", " "))
    .filter((target) => target.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
}

async function inTurns<T>(lanes: number, items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const lane = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
