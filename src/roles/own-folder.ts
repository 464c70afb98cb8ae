import { statSync, type Stats } from "node:fs";

/** Whoever may write into the data folder could lay links there that this process follows. */
const writtenByOthers = 0o022;

/**
 * Why a folder that is already there must not hold a cluster's keys, or `undefined`. Its owner is this user, or the one
 * who has become root by `sudo`.
 */
export function foreignFolder(path: string, owners: readonly (number | undefined)[]): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : problemOf(stat, owners);
}

export function problemOf({ uid, mode }: Pick<Stats, "uid" | "mode">, owners: readonly (number | undefined)[]) {
  if (!owners.includes(uid)) return `it belongs to another user (${uid})`;
  if ((mode & writtenByOthers) !== 0) return "others may write into it";
  return undefined;
}
