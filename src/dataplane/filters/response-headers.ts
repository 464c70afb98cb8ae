import type { Filter } from "../table.ts";
import { compileFieldEdits } from "./fields.ts";
import type { FieldEdits } from "./filter.ts";

/** What a route changes in the fields of answers, its own and those of its endpoints. */
export function compileResponseHeaders(filters: readonly Filter[]): FieldEdits | undefined {
  return compileFieldEdits(filters.flatMap((filter) => (filter.type === "response-headers" ? [filter.set] : [])));
}
