/**
 * What the data plane moves bytes by. No Kubernetes word: floors above compile their objects to this. A worker starts
 * empty and receives `TableChange`s; each is applied between two requests and in one piece, and requests under way keep
 * what they began with. All values are plain data that structured clone carries to a worker.
 */
export interface DataplaneTable {
  readonly hosts: ReadonlyMap<string, HostEntry>;
  readonly backends: ReadonlyMap<string, BackendEntry>;
  readonly certificates: ReadonlyMap<string, CertificateEntry>;
}

/**
 * One virtual host. `name` is a lower-case host, `*.example.com` for exactly one label in front, or `*` for every host
 * that no other entry takes.
 */
export interface HostEntry {
  readonly name: string;
  /** In order of precedence: the first that matches takes the request. */
  readonly routes: readonly RouteEntry[];
  /** The certificate for TLS on this host; the default one when absent. */
  readonly certificate?: string;
}

export interface RouteEntry {
  /** Stable across changes of other routes; what logs, counters and explanations call it. */
  readonly id: string;
  readonly match: PathMatch;
  /** What happens to a request, in this order; the first action that answers ends it. */
  readonly filters: readonly Filter[];
  readonly target: RouteTarget;
  readonly timeouts: Timeouts;
  /** Bytes of a request body, 0 for no limit; 413 beyond. */
  readonly maxBodyBytes: number;
}

export type PathMatch =
  /** The path is exactly this. */
  | { readonly type: "exact"; readonly path: string }
  /** The path starts with these elements: `/a` takes `/a` and `/a/b`, not `/ab` (Ingress pathType Prefix). */
  | { readonly type: "prefix"; readonly path: string }
  /** The path starts with these characters (nginx location). */
  | { readonly type: "characters"; readonly path: string }
  /** A case-insensitive expression anchored at the start, its groups at hand for `rewrite`. */
  | { readonly type: "regex"; readonly source: string };

export type RouteTarget =
  | { readonly type: "backend"; readonly backend: string }
  /** A fixed answer, e.g. 404 of the default backend or 503 where nothing could be compiled. */
  | { readonly type: "answer"; readonly status: number; readonly reason: string };

export type Filter =
  /**
   * Redirects to HTTPS when the request came without TLS. `port` is written only when it is not 443, `stripSlash` takes
   * one final slash off the URI.
   */
  | { readonly type: "https-redirect"; readonly status: number; readonly port?: number; readonly stripSlash?: boolean }
  /** Replaces the path; `$1`..`$9` are groups of a regex match. The query stays. */
  | { readonly type: "rewrite"; readonly to: string }
  /** `keepQuery` appends the query of the request to `location`. */
  | { readonly type: "redirect"; readonly status: number; readonly location: string; readonly keepQuery?: boolean }
  /** Sets (`value`) or removes (`undefined`) header fields of the request that goes to the endpoint. */
  | { readonly type: "request-headers"; readonly set: readonly (readonly [name: string, value: string | undefined])[] }
  | {
      readonly type: "response-headers";
      readonly set: readonly (readonly [name: string, value: string | undefined])[];
      /** Only in answers over TLS (Strict-Transport-Security). */
      readonly secureOnly?: boolean;
    };

export interface Timeouts {
  readonly connectMs: number;
  /** Between two reads from the endpoint. */
  readonly readMs: number;
  /** Between two writes to the endpoint. */
  readonly sendMs: number;
}

export interface BackendEntry {
  /** What logs and errors call it, e.g. `dev/web:http`. */
  readonly id: string;
  /** `h2` and `h2s` are HTTP/2 with prior knowledge, without and with TLS. */
  readonly protocol: "http" | "https" | "h2" | "h2s";
  readonly balance: "round-robin";
  readonly endpoints: readonly BackendEndpoint[];
  /** How many endpoints one request may try; only where a replay is safe. */
  readonly tries: number;
}

export interface BackendEndpoint {
  readonly address: string;
  readonly port: number;
}

export interface CertificateEntry {
  readonly id: string;
  /** PEM, leaf first. */
  readonly cert: string;
  /** PEM. Never logged, never sent anywhere but to the workers. */
  readonly key: string;
}

/** What changes from one table to the next. `undefined` removes an entry. Backends arrive before the routes that name
 * them take effect, and leave after. */
export interface TableChange {
  readonly hosts: readonly (readonly [name: string, entry: HostEntry | undefined])[];
  readonly backends: readonly (readonly [id: string, entry: BackendEntry | undefined])[];
  readonly certificates: readonly (readonly [id: string, entry: CertificateEntry | undefined])[];
  /** The certificate for clients that name no known host; unchanged when absent. */
  readonly defaultCertificate?: string;
  /** Passed back in the acknowledgement: the revision of the API that this change brings into force. */
  readonly revision: string;
}
