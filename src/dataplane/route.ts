import type { CounterSlot } from "./counters.ts";
import { compileFilters, type CompiledFilters } from "./filters/index.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import type { HostEntry, RouteEntry } from "./table.ts";

/** A route made ready for matching. */
export interface CompiledRoute {
  readonly entry: RouteEntry;
  readonly filters: CompiledFilters;
  readonly slot: CounterSlot;
}

/** A host made ready for matching: `routeOf` costs by the path, not by the number of exact and prefix routes. */
export interface CompiledHost {
  readonly entry: HostEntry;
  routeOf(path: string): RouteMatch | undefined;
}

export interface RouteMatch {
  readonly route: CompiledRoute;
  /** The groups of a regex route: the whole match, then `$1` and on. */
  readonly groups?: readonly (string | undefined)[];
  /** Whether it matches would have taken too long to find out; nobody but this route may have the request. */
  readonly isUndecided?: true;
}

interface Positioned {
  readonly position: number;
  readonly route: CompiledRoute;
}

type Scanned = Positioned & { match(path: string): RouteMatch | undefined };

/**
 * Prepares a host's routes. The first route in the entry's order that matches takes the request. A regex that this
 * engine does not read never matches; the compiler above refuses those with a reason before they come here.
 */
export function compileHost(entry: HostEntry, slotOf: (id: string) => CounterSlot): CompiledHost {
  const exact = new Map<string, Positioned>();
  const prefixes = new Map<string, Positioned>();
  const scanned: Scanned[] = [];
  for (const [position, route] of entry.routes.entries()) {
    const filters = compileFilters(route.filters);
    const compiled: CompiledRoute = { entry: route, filters, slot: slotOf(`route ${route.id}`) };
    const at: Positioned = { position, route: compiled };
    const { match } = route;
    if (match.type === "exact") putFirst(exact, match.path, at);
    else if (match.type === "prefix") putFirst(prefixes, match.path.replace(/\/+$/, ""), at);
    else if (match.type === "characters") {
      const { path } = match;
      const found: RouteMatch = { route: compiled };
      scanned.push({ ...at, match: (candidate) => (candidate.startsWith(path) ? found : undefined) });
    } else {
      const pattern = compilePattern(match.source);
      if (pattern !== undefined)
        scanned.push({ ...at, match: (candidate) => matchPattern(compiled, pattern, candidate) });
    }
  }
  const all = prefixes.get("");
  const isOne = all !== undefined && exact.size + prefixes.size + scanned.length === 1;
  // With many hosts, each map on the way is memory that is far away.
  return { entry, routeOf: isOne ? () => all : (path) => findRoute(path, exact, prefixes, scanned) };
}

function putFirst(map: Map<string, Positioned>, path: string, route: Positioned): void {
  if (!map.has(path)) map.set(path, route);
}

function matchPattern(route: CompiledRoute, pattern: Pattern, path: string): RouteMatch | undefined {
  const groups = pattern.exec(path);
  if (groups === "undecided") return { route, isUndecided: true };
  return groups === undefined ? undefined : { route, groups };
}

function findRoute(
  path: string,
  exact: ReadonlyMap<string, Positioned>,
  prefixes: ReadonlyMap<string, Positioned>,
  scanned: readonly Scanned[],
): RouteMatch | undefined {
  let best = exact.get(path);
  if (prefixes.size > 0) {
    // `/a/b/c` is taken by the prefixes `/a/b/c`, `/a/b`, `/a` and ``.
    for (let end = path.length; end >= 0; end = end === 0 ? -1 : path.lastIndexOf("/", end - 1)) {
      const found = prefixes.get(path.slice(0, end));
      if (found !== undefined && (best === undefined || found.position < best.position)) best = found;
    }
  }
  for (const candidate of scanned) {
    if (best !== undefined && candidate.position > best.position) break;
    const match = candidate.match(path);
    if (match !== undefined) return match;
  }
  return best;
}

/**
 * The host entry for a host name in lower case without port: the name itself, then `*.` and all but its first label,
 * then `*`.
 */
export function findHost(hosts: ReadonlyMap<string, CompiledHost>, name: string): CompiledHost | undefined {
  const exact = hosts.get(name);
  if (exact !== undefined) return exact;
  const dot = name.indexOf(".");
  const wildcard = dot > 0 ? hosts.get(`*${name.slice(dot)}`) : undefined;
  return wildcard ?? hosts.get("*");
}

let lastField = "";
let lastName = "";

/** The host name a Host field means: without port and final dot, in lower case. */
export function hostName(field: string): string {
  // The same field most often comes again, and its name is found faster when it is the same text.
  if (field !== lastField) {
    lastName = nameIn(field);
    lastField = field;
  }
  return lastName;
}

function nameIn(field: string): string {
  const bracket = field.lastIndexOf("]");
  const colon = field.indexOf(":", bracket + 1);
  const host = colon === -1 ? field : field.slice(0, colon);
  const lower = host.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}
