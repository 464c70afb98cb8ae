import { type ApiError, invalid } from "#api/meta/status.ts";
import type { ShapeError } from "#api/schema/decode-json.ts";

/**
 * The 422 for a strategic merge patch that leaves a value of the wrong type, which upstream tells in other words than
 * for any other body: those of `runtime.DefaultUnstructuredConverter`.
 */
export function mergedWrongly(patch: unknown, error: ShapeError): ApiError {
  return invalid("", "", "", [{ type: "Invalid", path: "patch", value: goText(patch), detail: conversionText(error) }]);
}

function conversionText({ wants = "", got = "", message }: ShapeError): string {
  if (wants === "" || got === "") return message;
  const from = got === "number" ? "int64" : got;
  if (wants.startsWith("[]")) return `cannot restore slice from ${from}`;
  if (wants.startsWith("map[")) return `cannot restore map from ${from}`;
  if (wants.includes(".")) return `cannot restore struct from: ${from}`;
  return wants === "string" && got === "number" ? "cannot convert int64 to string" : `unrecognized type: ${wants}`;
}

/** Nothing in a served form is nested deeper. */
const deepest = 32;

/** A value as Go's `%+v` prints it: `map[spec:map[replicas:x]]`. */
function goText(value: unknown, depth = 0): string {
  if (depth > deepest) return "...";
  if (typeof value === "string") return value;
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map((item) => goText(item, depth + 1)).join(" ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${fields.map(([key, item]) => `${key}:${goText(item, depth + 1)}`).join(" ")}]`;
}
