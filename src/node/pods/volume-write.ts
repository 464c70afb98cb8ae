import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { VolumeFile } from "./volume-files.ts";

/**
 * Puts the files into the folder the way the kubelet's atomic writer does: a new dated folder, and one renamed link
 * `..data` that switches all of them at once. Does nothing when they are there already. Answers whether it changed.
 */
export function writeVolume(folder: string, files: readonly VolumeFile[], group?: number): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const version = `..${digestOf(files)}`;
  const dataLink = join(folder, "..data");
  const before = existsSync(dataLink) ? readlinkSync(dataLink) : undefined;
  if (before === version) return false;
  const fresh = join(folder, version);
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o755 });
  for (const { path, bytes, mode } of files) {
    const target = join(fresh, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, bytes);
    chmodSync(target, group === undefined ? mode : mode | 0o040);
    if (group !== undefined) chownSync(target, -1, group);
  }
  symlinkSync(version, `${dataLink}.new`);
  renameSync(`${dataLink}.new`, dataLink);
  linkNames(folder, files);
  if (before !== undefined) rmSync(join(folder, before), { recursive: true, force: true });
  return true;
}

/** Each top name is a link through `..data`; names that are no longer there go. */
function linkNames(folder: string, files: readonly VolumeFile[]): void {
  const names = new Set(files.map(({ path }) => path.split("/")[0] ?? path));
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith("..") && !names.has(entry)) rmSync(join(folder, entry), { force: true, recursive: true });
  }
  for (const name of names) {
    if (!readdirSync(folder).includes(name)) symlinkSync(join("..data", name), join(folder, name));
  }
}

function digestOf(files: readonly VolumeFile[]): string {
  const hash = createHash("sha256");
  for (const { path, bytes, mode } of files) hash.update(`${path}\0${mode}\0${bytes.length}\0`).update(bytes);
  return hash.digest("hex").slice(0, 16);
}
