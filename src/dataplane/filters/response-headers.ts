import type { Filter } from "../table.ts";
import { compileFieldEdits } from "./edits.ts";
import type { FieldEdits } from "./filter.ts";

/** What a route changes in the fields of answers, its own and those of its endpoints; `secure` for answers over TLS. */
export function compileResponseHeaders(filters: readonly Filter[], secure: boolean): FieldEdits | undefined {
  const lists = filters.flatMap((filter) => {
    if (filter.type !== "response-headers" || (filter.secureOnly === true && !secure)) return [];
    return [filter.set];
  });
  return compileFieldEdits(lists);
}
