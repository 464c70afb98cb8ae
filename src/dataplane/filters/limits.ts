import { compileRanges } from "../ranges.ts";
import type { Filter } from "../table.ts";
import type { Guard } from "./filter.ts";

/** How fast and how many at once the requests of one client may come, by its address, over all routes of the zone. */
export function compileLimits(filter: Extract<Filter, { type: "limits" }>): Guard {
  const { zone, rates, connections, status, connectionStatus } = filter;
  const isExempt = compileRanges(filter.exempt);
  return (request) => {
    const { client, tools } = request;
    if (isExempt(client)) return undefined;
    for (const [position, rate] of rates.entries()) {
      if (!tools.meter.take(`${zone} ${position} ${client}`, rate)) return { status };
    }
    if (connections === undefined) return undefined;
    const leave = tools.meter.enter(`${zone} connections ${client}`, connections);
    if (leave === undefined) return { status: connectionStatus };
    request.atEnd(leave);
    return undefined;
  };
}
