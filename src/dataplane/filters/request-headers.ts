import type { Filter } from "../table.ts";
import { compileFieldEdits } from "./edits.ts";
import type { FieldEdits } from "./filter.ts";

/** What a route changes in the fields that go to its endpoints. */
export function compileRequestHeaders(filters: readonly Filter[]): FieldEdits | undefined {
  return compileFieldEdits(filters.flatMap((filter) => (filter.type === "request-headers" ? [filter.set] : [])));
}
