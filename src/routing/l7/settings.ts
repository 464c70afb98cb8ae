import type { PathType } from "#api/networking/ingress/kind.ts";
import type { BackendEntry, Filter, PathMatch, Timeouts } from "#dataplane/table.ts";
import type { Problem } from "../because.ts";

/**
 * What the annotations of one Ingress ask for, already parsed. The compiler knows no annotation: it applies `effects`
 * in order to each route of the Ingress and reads the few facts that decide beyond one route.
 */
export interface RouteSettings {
  /**
   * `drop`: the Ingress is not configured at all (its last good version goes on serving). `deny`: its routes stand and
   * answer 503, because serving them without what was asked for would be unsafe.
   */
  readonly verdict: "serve" | "drop" | "deny";
  /** Whether this rule path puts its whole host into regular-expression mode, as ingress-nginx does. */
  readonly regex: (path: string) => boolean;
  /** Where a request for exactly `/` on the Ingress's hosts is sent. */
  readonly appRoot?: string;
  readonly effects: readonly RouteEffect[];
  readonly problems: readonly Problem[];
}

/** What an effect may know about the route it changes. */
export interface RouteFacts {
  /** `*` for every host. */
  readonly host: string;
  /** The path as the rule has it, `/` when the rule has none. */
  readonly path: string;
  readonly pathType: PathType;
  /** A `tls` section names this host, or covers it by a wildcard host. */
  readonly tls: boolean;
  /** False for the `/` that stands in where a host has no rule for it. */
  readonly ruled: boolean;
  /** All paths of the host are regular expressions. */
  readonly regexHost: boolean;
}

/** A route before it gets its target. */
export interface RouteDraft {
  readonly match: PathMatch;
  readonly filters: readonly Filter[];
  readonly timeouts: Timeouts;
  readonly maxBodyBytes: number;
  readonly protocol: BackendEntry["protocol"];
  /** Attempts for one request, the first included. */
  readonly tries: number;
}

export type RouteEffect = (draft: RouteDraft, facts: RouteFacts) => RouteDraft;
