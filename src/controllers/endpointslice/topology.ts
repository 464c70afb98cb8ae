import { findCondition } from "#api/meta/condition.ts";
import { parseQuantity } from "#api/meta/quantity.ts";
import { zoneLabel, type Node } from "#api/core/node/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { SliceEndpoint } from "#api/discovery/endpointslice/kind.ts";

/** By zone: its part of the cluster's processors, together 1. */
export type ZoneShares = ReadonlyMap<string, number>;

const modeAnnotation = "service.kubernetes.io/topology-mode";
const modeAnnotationBefore = "service.kubernetes.io/topology-aware-hints";
const notCounted = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
/** The most that an endpoint may get beyond its even part of the traffic (KEP-2433). */
const overload = 0.2;

/** Whether the Service asks for hints by the processors of zones, which comes before `trafficDistribution`. */
export function wantsZoneShares({ metadata: { annotations = {} } }: Service): boolean {
  const mode = annotations[modeAnnotation] ?? annotations[modeAnnotationBefore];
  return mode === "Auto" || mode === "auto";
}

/** The zones of the ready nodes, or why nothing can be said of them, in upstream's words. */
export function compileZoneShares(nodes: readonly Node[]): ZoneShares | string {
  const processors = new Map<string, number>();
  for (const { metadata, status } of nodes) {
    if (notCounted.some((label) => metadata.labels?.[label] !== undefined)) continue;
    if (findCondition(status?.conditions, "Ready")?.status !== "True") continue;
    const zone = metadata.labels?.[zoneLabel];
    const cpu = parseQuantity(status?.allocatable?.["cpu"] ?? "") ?? 0;
    if (!zone || cpu === 0) return insufficientNodeInfo;
    processors.set(zone, (processors.get(zone) ?? 0) + cpu);
  }
  if (processors.size < 2) return processors.size === 0 ? insufficientNodeInfo : "Nodes only ready in one zone";
  const total = [...processors.values()].reduce((sum, cpu) => sum + cpu, 0);
  return new Map([...processors].sort().map(([zone, cpu]) => [zone, cpu / total]));
}

const insufficientNodeInfo =
  "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";

/**
 * For each endpoint, in order, the zone it is to serve, so that every zone has endpoints in proportion to its processors
 * and as many as can be serve their own (upstream `topologycache`); or why there are to be no hints. Endpoints that are
 * not ready have none. Pure: the same endpoints and shares give the same zones.
 */
export function allotZones(
  endpoints: readonly SliceEndpoint[],
  shares: ZoneShares,
): readonly (string | undefined)[] | string {
  const ready = endpoints.filter(({ conditions }) => conditions?.ready === true);
  const counts = `(${ready.length} endpoints, ${shares.size} zones)`;
  if (shares.size > ready.length) return `Insufficient number of endpoints ${counts}`;
  if (ready.some(({ zone }) => !zone)) return "One or more endpoints do not have a zone specified";
  const wanted = new Map<string, number>();
  let least = 0;
  for (const [zone, share] of shares) {
    const even = share * ready.length;
    const minimum = Math.ceil(even / (1 + overload));
    least += minimum;
    wanted.set(zone, Math.max(even, minimum));
  }
  if (least > ready.length) {
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`;
  }
  const moves = compileMoves(ready, wanted);
  return endpoints.map((endpoint) => {
    const { zone = "", conditions } = endpoint;
    if (conditions?.ready !== true) return undefined;
    return moves.get(zone)?.pop() ?? zone;
  });
}

/** By zone that gives: for each endpoint it gives, the zone that receives it. */
function compileMoves(ready: readonly SliceEndpoint[], wanted: ReadonlyMap<string, number>): Map<string, string[]> {
  const surplus = new Map<string, number>();
  for (const [zone, count] of wanted) surplus.set(zone, -count);
  for (const { zone = "" } of ready) surplus.set(zone, (surplus.get(zone) ?? 0) + 1);
  const moves = new Map<string, string[]>();
  for (;;) {
    const zones = [...surplus].sort(([a, most], [b, least]) => least - most || (a < b ? -1 : 1));
    const [from, over = 0] = zones[0] ?? [];
    const [to, under = 0] = zones.at(-1) ?? [];
    const isWorthIt = over >= 0.5 && -under >= 0.5 && (over >= 1 || -under >= 1);
    if (from === undefined || to === undefined || !isWorthIt) return moves;
    moves.set(from, [...(moves.get(from) ?? []), to]);
    surplus.set(from, over - 1);
    surplus.set(to, under + 1);
  }
}
