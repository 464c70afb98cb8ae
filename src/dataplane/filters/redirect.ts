import { bytesOfText } from "../page.ts";
import type { Filter } from "../table.ts";
import type { RequestFilter } from "./filter.ts";

/** Redirects every request to one place, verbatim. */
export function compileRedirect({ status, location }: Extract<Filter, { type: "redirect" }>): RequestFilter {
  const answer = { status, fields: [["Location", bytesOfText(location)]] as const };
  return () => answer;
}
