import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { PathType } from "#api/networking/ingress/kind.ts";
import type {
  BackendEntry,
  ClientAuth,
  Filter,
  PathMatch,
  GatherRules,
  RetryRules,
  StreamRules,
  Timeouts,
} from "#dataplane/table.ts";
import type { Problem } from "../because.ts";
import type { BackendCare, BackendRef } from "./backend.ts";

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
  /** TLS connections for the Ingress's hosts go to the backend of `/` as they are. */
  readonly passthrough?: Omit<StreamRules, "backend">;
  /** Of TLS 1.2, for the Ingress's hosts. */
  readonly ciphers?: string;
  /** Clients of the Ingress's hosts show certificates of the authorities in this Secret. */
  readonly clientAuth?: Pick<ClientAuth, "verify" | "depth" | "subject" | "errorPage" | "passCertificate"> & {
    /** `namespace/name`. */
    readonly secret: string;
  };
  readonly effects: readonly RouteEffect[];
  /** Other objects that the effects read, by `namespace/name`. */
  readonly references: References;
  readonly problems: readonly Problem[];
}

export interface References {
  readonly secrets: readonly string[];
  readonly configMaps: readonly string[];
}

/** An object that an Ingress names; `pending` until it is known whether there is one. */
export type Named<T> = T | "missing" | "pending";

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
  /** Of the Ingress's own references. */
  readonly secret: (key: string) => Named<Secret>;
  readonly configMap: (key: string) => Named<ConfigMap>;
}

/** A route before it gets its target. */
export interface RouteDraft {
  readonly match: PathMatch;
  readonly filters: readonly Filter[];
  readonly timeouts: Timeouts;
  readonly maxBodyBytes: number;
  readonly protocol: BackendEntry["protocol"];
  readonly balance: BackendEntry["balance"];
  /** When a request may go to a further endpoint; the data plane's default when absent. */
  readonly retry?: RetryRules;
  /** Bodies of requests are read whole first; they stream when absent. */
  readonly gather?: GatherRules;
  readonly care?: BackendCare;
  /** The route answers 503: serving it without what was asked for would be unsafe. */
  readonly isDenied?: boolean;
  /** Backends that the filters name, beside the one of the rule. */
  readonly backends?: readonly BackendRef[];
  /** What was wrong with objects that the Ingress names. */
  readonly findings?: readonly Finding[];
}

/** A problem that shows only when an effect meets other objects. */
export interface Finding {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

export type RouteEffect = (draft: RouteDraft, facts: RouteFacts) => RouteDraft;
