import { isObject } from "./merge.ts";

/**
 * A patch's value where there is nothing to merge it with: directives are no data and must not be stored, nulls have
 * nothing to remove, items that only delete are gone.
 */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !isDirectiveItem(item)).map((item: unknown) => withoutDirectives(item));
  }
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key, child]) => child !== null && !isDirective(key));
  return Object.fromEntries(kept.map(([key, child]) => [key, withoutDirectives(child)]));
}

/** Whether a key of a patch is an instruction and no field. */
export function isDirective(key: string): boolean {
  return (
    key === "$patch" ||
    key === "$retainKeys" ||
    key.startsWith("$setElementOrder/") ||
    key.startsWith("$deleteFromPrimitiveList/")
  );
}

function isDirectiveItem(item: unknown): boolean {
  return isObject(item) && (item["$patch"] === "delete" || item["$patch"] === "replace");
}
