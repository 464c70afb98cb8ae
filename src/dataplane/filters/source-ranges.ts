import { compileRanges } from "../ranges.ts";
import type { Filter } from "../table.ts";
import type { Guard } from "./filter.ts";

const forbidden = { status: 403 };

/** Lets in by the client's address: nobody in `deny`, and only who is in `allow` when that names any range. */
export function compileSourceRanges({ allow, deny }: Extract<Filter, { type: "source-ranges" }>): Guard {
  const isDenied = compileRanges(deny);
  const isAllowed = allow.length === 0 ? () => true : compileRanges(allow);
  return ({ client }) => (isDenied(client) || !isAllowed(client) ? forbidden : undefined);
}
