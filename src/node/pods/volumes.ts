import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Container, Pod, Volume } from "#api/core/pod/kind.ts";
import { run } from "../run.ts";
import type { BindMount } from "../runtime/contract.ts";
import { parseQuantity } from "#api/meta/quantity.ts";
import { compileVolume, type VolumeSources } from "./volume-files.ts";
import { writeVolume } from "./volume-write.ts";

export type VolumesOutcome = { readonly ok: true } | { readonly ok: false; readonly message: string };

function folderOf(podFolder: string, volume: string): string {
  return join(podFolder, "volumes", volume);
}

/** Makes all volumes of a pod, or says which cannot be made. Safe to repeat; objects' volumes follow their objects. */
export async function prepareVolumes(pod: Pod, podFolder: string, sources: VolumeSources): Promise<VolumesOutcome> {
  const group = pod.spec.securityContext?.fsGroup;
  for (const volume of pod.spec.volumes ?? []) {
    const compiled = compileVolume(volume, sources);
    if (compiled?.ok === false) return compiled;
    if (compiled?.ok) writeVolume(folderOf(podFolder, volume.name), compiled.files, group);
    else {
      const problem = volume.hostPath ? checkHostPath(volume) : await makeEmpty(volume, podFolder, group);
      if (problem !== undefined) return { ok: false, message: `volume ${volume.name}: ${problem}` };
    }
  }
  return { ok: true };
}

/** Writes anew what has changed in the objects behind a running pod's volumes; what is missing now keeps its old files. */
export function refreshVolumes(pod: Pod, podFolder: string, sources: VolumeSources): void {
  for (const volume of pod.spec.volumes ?? []) {
    const compiled = compileVolume(volume, sources);
    if (compiled?.ok) writeVolume(folderOf(podFolder, volume.name), compiled.files, pod.spec.securityContext?.fsGroup);
  }
}

async function makeEmpty(volume: Volume, podFolder: string, group: number | undefined): Promise<string | undefined> {
  if (volume.emptyDir === undefined) return "Fairlead has no volumes of this kind";
  const folder = folderOf(podFolder, volume.name);
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  if (volume.emptyDir.medium === "Memory") {
    const size = parseQuantity(volume.emptyDir.sizeLimit ?? "");
    const options = ["mode=777", ...(size === undefined ? [] : [`size=${Math.ceil(size)}`])].join(",");
    const { code, stderr } = await run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
    if (code !== 0) return stderr.trim();
  }
  if (group !== undefined) chownSync(folder, -1, group);
  chmodSync(folder, group === undefined ? 0o777 : 0o2777);
  return undefined;
}

/** The rules of `hostPath.type`. */
function checkHostPath({ hostPath }: Volume): string | undefined {
  const { path = "", type = "" } = hostPath ?? {};
  const stat = statSync(path, { throwIfNoEntry: false });
  if (type === "DirectoryOrCreate" && stat === undefined) mkdirSync(path, { recursive: true, mode: 0o755 });
  else if (type === "FileOrCreate" && stat === undefined) writeFileSync(path, "", { mode: 0o644 });
  else if (stat === undefined) return `hostPath ${path} does not exist on this machine`;
  else if (type.startsWith("Directory") && !stat.isDirectory()) return `hostPath ${path} is not a directory`;
  else if (type.startsWith("File") && !stat.isFile()) return `hostPath ${path} is not a file`;
  else if (type === "Socket" && !stat.isSocket()) return `hostPath ${path} is not a socket`;
  return undefined;
}

export type MountsOutcome =
  | { readonly ok: true; readonly mounts: readonly BindMount[] }
  | { readonly ok: false; readonly message: string };

/** Where each volume of a container goes. A `subPath` that leads out of its volume is refused. */
export function bindVolumes(pod: Pod, container: Container, podFolder: string): MountsOutcome {
  const mounts: BindMount[] = [];
  for (const { name, mountPath, subPath, readOnly = false } of container.volumeMounts ?? []) {
    const volume = pod.spec.volumes?.find((one) => one.name === name);
    if (volume === undefined) return { ok: false, message: `there is no volume ${name}` };
    const base = volume.hostPath?.path ?? folderOf(podFolder, name);
    const source = subPath ? resolveSubPath(base, subPath, volume.emptyDir !== undefined) : base;
    if (source === undefined) return { ok: false, message: `volume ${name}: subPath ${subPath} is not inside it` };
    const isMade = volume.emptyDir === undefined && volume.hostPath === undefined;
    mounts.push({ source, target: mountPath, readOnly: readOnly || isMade });
  }
  return { ok: true, mounts };
}

function resolveSubPath(base: string, subPath: string, mayMake: boolean): string | undefined {
  if (subPath.startsWith("/") || subPath.split("/").includes("..")) return undefined;
  try {
    const top = realpathSync(base);
    // Step by step, so that nothing is made, or bound, behind a link that leads out.
    let real = top;
    for (const word of subPath.split("/").filter((part) => part !== "" && part !== ".")) {
      const next = join(real, word);
      if (mayMake && lstatSync(next, { throwIfNoEntry: false }) === undefined) {
        mkdirSync(next);
        chmodSync(next, 0o777);
      }
      real = realpathSync(next);
      if (!isWithin(real, top)) return undefined;
    }
    return real;
  } catch {
    return undefined;
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
