import { bytesOfText } from "../page.ts";
import type { Filter } from "../table.ts";
import type { RequestFilter } from "./filter.ts";

/** Redirects every request to one place, verbatim; with `keepQuery` the request's query goes along. */
export function compileRedirect(filter: Extract<Filter, { type: "redirect" }>): RequestFilter {
  const { status, keepQuery = false } = filter;
  const location = bytesOfText(filter.location);
  const answer = { status, fields: [["Location", location]] as const };
  if (!keepQuery) return () => answer;
  return ({ query }) => {
    if (query.length <= 1) return answer;
    const joined = location.includes("?") ? `${location}&${query.slice(1)}` : location + query;
    return { status, fields: [["Location", joined]] };
  };
}
