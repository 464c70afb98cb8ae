import { pathText } from "./element.ts";
import { pathsOf, type FieldSet } from "./field-set.ts";
import type { Manager } from "./managers.ts";

/** A field that an applier would change and another manager holds. */
export interface FieldConflict {
  /** `"ed" using v1`, as upstream names a manager. */
  readonly manager: string;
  /** `.spec.replicas` */
  readonly path: string;
}

/** A conflict for each of these fields, which the manager holds. */
export function conflictsWith(manager: Manager, fields: FieldSet): FieldConflict[] {
  const name = managerText(manager);
  return pathsOf(fields).map((path) => ({ manager: name, path: pathText(path) }));
}

function managerText({ manager, operation, apiVersion, subresource }: Manager): string {
  const name = JSON.stringify(manager) + (subresource === undefined ? "" : ` with subresource "${subresource}"`);
  return operation === "Update" ? `${name} using ${apiVersion}` : name;
}

/** `Apply failed with 1 conflict: conflict with "m1": .spec.replicas`; upstream's words, which kubectl prints. */
export function conflictsText(conflicts: readonly FieldConflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.path}`;
  }
  const byManager = Map.groupBy(conflicts, ({ manager }) => manager);
  const lines = [...byManager.keys()].sort().flatMap((manager) => {
    const paths = (byManager.get(manager) ?? []).map(({ path }) => `- ${path}`);
    return [`conflicts with ${manager}:`, ...paths];
  });
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}
