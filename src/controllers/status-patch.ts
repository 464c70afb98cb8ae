import { isDeepStrictEqual } from "node:util";
import type { MergePatch } from "#client/contract.ts";

/**
 * The merge patch that turns one status into another, or `undefined` when they say the same. Fields that went become
 * `null`, lists are replaced whole.
 */
export function compileStatusPatch(before: object | undefined, after: object): MergePatch | undefined {
  const old = (before ?? {}) as Record<string, unknown>;
  const next = after as Record<string, unknown>;
  const status: Record<string, unknown> = {};
  for (const field of new Set([...Object.keys(old), ...Object.keys(next)])) {
    if (!isDeepStrictEqual(old[field], next[field])) status[field] = next[field] ?? null;
  }
  return Object.keys(status).length === 0 ? undefined : { status };
}
