import { mergeRuleOf } from "../../schema/merge-keys.ts";
import { messageOf, scalarMessages } from "../../schema/message.ts";
import { ApiError } from "../status.ts";
import { isObject } from "./merge.ts";
import { orderLike } from "./order.ts";
import { isDirective, withoutDirectives } from "./directives.ts";

type Json = Record<string, unknown>;

const orderPrefix = "$setElementOrder/";
const deletePrefix = "$deleteFromPrimitiveList/";

/**
 * Strategic merge patch: a merge patch in which lists of objects merge by the key that the schema names, with the
 * directives `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/…` and `$setElementOrder/…` (upstream:
 * apimachinery's `strategicpatch`). `schemaName` is the message of the object, e.g. `core.v1.Service`. Throws `ApiError`.
 */
export function applyStrategicMergePatch(original: unknown, patch: unknown, schemaName: string): unknown {
  if (!isObject(patch)) throw new ApiError("BadRequest", "error decoding patch: the patch is not an object");
  return mergeObject(isObject(original) ? original : {}, patch, schemaName);
}

function mergeObject(original: Json, patch: Json, message: string | undefined): Json {
  const directive = patch["$patch"];
  if (directive === "replace") {
    const { $patch: _, ...rest } = patch;
    return withoutDirectives(rest) as Json;
  }
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge") throw unknownDirective(directive);

  const merged = new Map(Object.entries(original));
  retainOnly(merged, patch);
  const orders = new Map<string, readonly unknown[]>();
  for (const [key, value] of Object.entries(patch)) {
    if (key === "$patch" || key === "$retainKeys") continue;
    if (key.startsWith(orderPrefix)) orders.set(key.slice(orderPrefix.length), listOf(key, value));
    else if (key.startsWith(deletePrefix)) deleteValues(merged, key.slice(deletePrefix.length), listOf(key, value));
  }
  for (const [key, value] of Object.entries(patch)) {
    if (isDirective(key)) continue;
    if (value === null) merged.delete(key);
    else merged.set(key, mergeField(merged.get(key), value, message, key, orders.get(key)));
  }
  for (const [key, order] of orders) {
    const list = merged.get(key);
    if (key in patch || !Array.isArray(list)) continue;
    merged.set(key, orderLike(list, list, order, ruleOf(message, key)?.key));
  }
  return Object.fromEntries(merged);
}

function mergeField(
  original: unknown,
  patch: unknown,
  message: string | undefined,
  key: string,
  order: readonly unknown[] | undefined,
): unknown {
  const child = childMessage(message, key);
  if (isObject(patch)) return isObject(original) ? mergeObject(original, patch, child) : withoutDirectives(patch);
  if (!Array.isArray(patch)) return patch;
  const rule = ruleOf(message, key);
  if (!Array.isArray(original) || rule === undefined) return withoutDirectives(patch);
  if (rule.isSet) return orderLike([...new Set([...original, ...patch])], original, order, undefined);
  if (rule.key === undefined) return withoutDirectives(patch);
  return mergeList(original, patch, rule.key, child, order);
}

function mergeList(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
  message: string | undefined,
  order: readonly unknown[] | undefined,
): unknown[] {
  const items = patch.map((item) => objectOf(item));
  if (items.some((item) => item["$patch"] === "replace")) {
    return items.filter((item) => item["$patch"] !== "replace").map((item) => withoutDirectives(item));
  }
  let merged: unknown[] = [...original];
  for (const item of items) {
    const key = item[mergeKey];
    if (key === undefined) throw lacksKey(item, mergeKey);
    const isIt = (other: unknown) => isObject(other) && other[mergeKey] === key;
    if (item["$patch"] === "delete") merged = merged.filter((other) => !isIt(other));
    else {
      const at = merged.findIndex((other) => isIt(other));
      const before = merged[at];
      if (!isObject(before)) merged.push(withoutDirectives(item));
      else merged[at] = mergeObject(before, item, message);
    }
  }
  return orderLike(merged, original, order, mergeKey);
}

function retainOnly(merged: Map<string, unknown>, patch: Json): void {
  const retained = patch["$retainKeys"];
  if (retained === undefined) return;
  const keys = new Set(listOf("$retainKeys", retained));
  for (const key of Object.keys(patch)) {
    if (!isDirective(key) && patch[key] !== null && !keys.has(key)) {
      throw new ApiError("BadRequest", `the field ${key} is patched but not in $retainKeys`);
    }
  }
  for (const key of merged.keys()) if (!keys.has(key)) merged.delete(key);
}

function deleteValues(merged: Map<string, unknown>, key: string, values: readonly unknown[]): void {
  const list = merged.get(key);
  if (!Array.isArray(list)) return;
  merged.set(
    key,
    list.filter((value) => !values.includes(value)),
  );
}

function childMessage(message: string | undefined, key: string): string | undefined {
  const child = message === undefined ? undefined : messageOf(message).byName.get(key);
  // The values of a map are not its fields: within one there are no rules.
  if (child?.message === undefined || child.form === "map" || scalarMessages.has(child.message)) return undefined;
  return child.message;
}

function ruleOf(message: string | undefined, key: string) {
  return message === undefined ? undefined : mergeRuleOf(message, key);
}

function listOf(key: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new ApiError("BadRequest", `the directive ${key} must be a list`);
}

function objectOf(item: unknown): Json {
  if (isObject(item)) return item;
  throw new ApiError("BadRequest", "error decoding patch: a list of objects holds something that is no object");
}

function lacksKey(item: Json, mergeKey: string): ApiError {
  const fields = Object.entries(item).map(([key, value]) => `${key}:${String(value)}`);
  return new ApiError(
    "InternalError",
    `map: map[${fields.sort().join(" ")}] does not contain declared merge key: ${mergeKey}`,
  );
}

function unknownDirective(directive: unknown): ApiError {
  return new ApiError("BadRequest", `unknown patch type found: ${String(directive)}`);
}
