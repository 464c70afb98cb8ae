import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseInteger, parseRanges } from "../values.ts";

const perSecond = `${nginx}limit-rps`;
const perMinute = `${nginx}limit-rpm`;
const atOnce = `${nginx}limit-connections`;
const multiplierKey = `${nginx}limit-burst-multiplier`;
const exemptKey = `${nginx}limit-allowlist`;
const olderExemptKey = `${nginx}limit-whitelist`;

const usualMultiplier = 5;

/** How fast and how many at once one client's requests to this Ingress may come; all its routes count together. */
export const limits: AnnotationGroup = {
  name: "limits",
  keys: [perSecond, perMinute, atOnce, multiplierKey, exemptKey, olderExemptKey],
  parse(reader, options) {
    const number = (key: string) => reader.read(key, parseInteger, "drop", "a number, 0 for no limit") ?? 0;
    const ranges = (key: string) =>
      reader.read(key, parseRanges, "drop", "ranges such as 10.0.0.0/8, parted by commas");
    const given = number(multiplierKey);
    const multiplier = given < 1 ? usualMultiplier : given;
    const [second, minute, connections] = [number(perSecond), number(perMinute), number(atOnce)];
    const rate = (count: number, ms: number) =>
      count > 0 ? [{ intervalMs: ms / count, burst: count * multiplier }] : [];
    const [exempt, older] = [ranges(exemptKey), ranges(olderExemptKey)];
    const filter: Filter = {
      type: "limits",
      zone: reader.ingress,
      rates: [...rate(second, 1000), ...rate(minute, 60_000)],
      ...(connections > 0 ? { connections } : {}),
      exempt: exempt ?? older ?? [],
      status: options.limitRequestStatus,
      connectionStatus: options.limitConnectionStatus,
    };
    const effect: RouteEffect = (draft) => {
      if (filter.rates.length === 0 && filter.connections === undefined) return draft;
      return { ...draft, filters: [...draft.filters, filter] };
    };
    return { effect };
  },
};
