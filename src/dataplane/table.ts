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
  /** Ciphers of TLS 1.2 for this host, as OpenSSL names them; those of all hosts when absent. */
  readonly ciphers?: string;
  /** TLS connections that ask for this host go to the backend as they are, whatever its routes say of HTTP. */
  readonly passthrough?: StreamRules;
  /** Clients of this host show a certificate in the TLS handshake. */
  readonly clientAuth?: ClientAuth;
}

/** Which clients a host takes, as nginx's `ssl_verify_client` says it; who is not taken gets an answer, not a TLS alert. */
export interface ClientAuth {
  /** The same for equal rules: a connection that was checked by others is not let in. */
  readonly id: string;
  /**
   * `on`: only with a certificate of these authorities; `optional`: without one as well; `optional_no_ca`: with one of
   * any authority.
   */
  readonly verify: "on" | "optional" | "optional_no_ca";
  /** The authorities, and what they have revoked; PEM. */
  readonly ca: string;
  readonly crl?: string;
  /** How many authorities may stand between the certificate and the one that is trusted. */
  readonly depth: number;
  /** A regular expression that occurs in the certificate's subject (RFC 2253); 403 for others. */
  readonly subject?: string;
  /** Where who is not let in is redirected to, in place of 400. */
  readonly errorPage?: string;
  /** Endpoints get the certificate as `ssl-client-cert`. */
  readonly passCertificate: boolean;
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
  /** When a request goes to a further endpoint; `defaultRetry` when absent. */
  readonly retry?: RetryRules;
  /** Bodies of requests are read whole before an endpoint is asked; they stream when absent, and to HTTP/2 endpoints. */
  readonly gather?: GatherRules;
}

export interface GatherRules {
  /** So much of one stays in memory, the rest goes to a file. */
  readonly memoryBytes: number;
}

/** What lets a request go to another endpoint, in the words of nginx' `proxy_next_upstream`. */
export type RetryCondition = "error" | "timeout" | "invalid_header" | "non_idempotent" | `http_${number}`;

export interface RetryRules {
  /** How many endpoints one request may try, the first included. */
  readonly tries: number;
  readonly on: readonly RetryCondition[];
  /** No further endpoint is tried after so many milliseconds; 0 for no limit. */
  readonly withinMs: number;
  /** Up to so much of a body is kept to be sent again; a request with a longer one, or with any for 0, is not. */
  readonly keepBytes: number;
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
    }
  /**
   * By the client's address (CIDR, or one address): nobody in `deny`, and only who is in `allow` unless that is empty;
   * others are answered 403.
   */
  | { readonly type: "source-ranges"; readonly allow: readonly string[]; readonly deny: readonly string[] }
  /** Name and password of one of these users, 401 for others. The stored passwords are never logged. */
  | {
      readonly type: "basic-auth";
      readonly realm: string;
      /** Names one character a byte; passwords as `isStoredPassword` knows them. */
      readonly users: readonly (readonly [name: string, stored: string])[];
    }
  | ExternalAuth
  /** Cross-origin rules; goes before all other filters. */
  | {
      readonly type: "cors";
      /** `*` for all, else `scheme://host:port`, with `*.` for one label. */
      readonly origins: readonly string[];
      /** As they are written into the fields. */
      readonly methods: string;
      readonly headers: string;
      readonly exposed?: string;
      readonly credentials: boolean;
      /** Seconds. */
      readonly maxAge: number;
    }
  /** Requests with the same text (a template) go to the same endpoint, or to the same group of `subset` endpoints. */
  | { readonly type: "hash-by"; readonly text: string; readonly subset?: number }
  | Affinity
  /** A copy of each request that is let in goes to another backend; its answer is thrown away. */
  | {
      readonly type: "mirror";
      readonly backend: string;
      /** The Host of the copy. */
      readonly host: string;
      /** Path and query; a template. */
      readonly target: string;
      /** Bodies up to a megabyte; requests with longer ones are not copied. */
      readonly withBody: boolean;
      readonly timeouts: Timeouts;
    }
  /** Answers of these content types (`*` for all; text/html always) and at least this long are compressed. */
  | {
      readonly type: "compress";
      readonly coding: ContentCoding;
      /** As zlib, brotli and zstd number them. */
      readonly level: number;
      readonly minBytes: number;
      readonly types: readonly string[];
    }
  /** Who passes one of `source-ranges`, `basic-auth` and `external-auth` need not pass the others. */
  | { readonly type: "satisfy-any" }
  /** Nobody without a certificate of their own: 400 for what came without TLS. Goes behind `https-redirect`. */
  | {
      readonly type: "client-certificate";
      /** 403 instead: what is wanted is a subject that matches. */
      readonly bySubject?: boolean;
    }
  /** Requests do not stand in the access log. */
  | { readonly type: "quiet" }
  /**
   * Requests belong to a trace, which the endpoint is told (W3C Trace Context): that of the client with `trust`, else one
   * that begins here. Spans are called by the method and `name`. Goes before all other filters.
   */
  | { readonly type: "tracing"; readonly name: string; readonly trust: boolean }
  /** How fast and how many at once the requests of one client may come; routes with the same `zone` count together. */
  | {
      readonly type: "limits";
      readonly zone: string;
      readonly rates: readonly { readonly intervalMs: number; readonly burst: number }[];
      /** How many requests may be under way. */
      readonly connections?: number;
      /** Clients that are not counted (CIDR, or one address). */
      readonly exempt: readonly string[];
      /** The answer to what comes too fast, and to what is too many. */
      readonly status: number;
      readonly connectionStatus: number;
    };

/** In the words of Content-Encoding. */
export type ContentCoding = "gzip" | "br" | "zstd";

/** A client stays with its endpoint, by a cookie; goes behind other guards and before `hash-by`. */
export interface Affinity {
  readonly type: "affinity";
  /** The cookie's name. */
  readonly cookie: string;
  /** `balanced` may move some clients when endpoints come; `persistent` moves only those whose endpoint went. */
  readonly mode: "balanced" | "persistent";
  readonly path: string;
  readonly domain?: string;
  readonly expiresS?: number;
  readonly maxAgeS?: number;
  /** Also where the client came without TLS. */
  readonly secure: boolean;
  readonly sameSite?: "None" | "Lax" | "Strict";
  /** Not to browsers that misread `SameSite=None`. */
  readonly conditionalSameSite: boolean;
  /** A request whose endpoint failed goes to another, and its client with it. */
  readonly changeOnFailure: boolean;
}

/**
 * Asks a backend whether the request may come in: 2xx lets it, 401 and 403 are passed on, all else is 500. Texts marked
 * as templates may hold variables, see `compileTemplate`.
 */
export interface ExternalAuth {
  readonly type: "external-auth";
  readonly backend: string;
  /** The Host that is asked. */
  readonly host: string;
  /** Path and query; a template. */
  readonly target: string;
  /** GET when absent. */
  readonly method?: string;
  /** Where 401 is redirected to; a template. */
  readonly signIn?: string;
  /** The parameter that tells the place to sign in where to come back to; `rd` when absent. */
  readonly signInParameter?: string;
  /** Fields of the reply that go to the endpoint in place of the client's. */
  readonly responseFields: readonly string[];
  /** What X-Auth-Request-Redirect says; a template, the request's target when absent. */
  readonly redirect?: string;
  /** Cookies of the reply go to the client whatever the endpoint's status. */
  readonly alwaysSetCookie?: boolean;
  /** Further fields of the question; values are templates. */
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly timeouts: Timeouts;
  /** Replies are used again for requests with an equal `key` (a template). */
  readonly cache?: {
    readonly key: string;
    readonly valid: readonly { readonly statuses: readonly number[]; readonly ms: number }[];
  };
}

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
  /** In turn; the one of two that has fewer requests under way; the one of two that answered faster lately. */
  readonly balance: "round-robin" | "least-request" | "ewma";
  readonly endpoints: readonly BackendEndpoint[];
  /** The name that TLS to the endpoints asks for; none when absent. */
  readonly serverName?: string;
  /** When an endpoint that keeps failing is left out for a while; the data plane's defaults when absent. */
  readonly outliers?: OutlierRules;
  /** How its endpoints are asked how they are; not at all when absent. */
  readonly check?: HealthCheck;
  /** For so many milliseconds an endpoint that joins others gets less than they, from a tenth up; 0 or absent: never. */
  readonly slowStartMs?: number;
  /** How much may be under way to it at once; without limit when absent. */
  readonly limits?: BackendLimits;
}

/** An endpoint is left out after `failures` gateway errors (502 to 504, no connection, no answer) in a row; 0: never. */
export interface OutlierRules {
  readonly failures: number;
  /** For so long the first time, twice as long the second time, and so on up to `mostMs`. */
  readonly ejectMs: number;
  readonly mostMs: number;
  /** Not more than this part of the endpoints at once, but always one where there are others. */
  readonly share: number;
}

/** Limits over all workers, each of which keeps to its equal share; 0 or absent for none. Beyond: 503. */
export interface BackendLimits {
  readonly requests?: number;
  /** To all endpoints together; a request that finds none waits. */
  readonly connections?: number;
  /** To one endpoint; others are taken while it has so many. */
  readonly connectionsAnEndpoint?: number;
  /** How many requests may wait for a connection; none when absent. */
  readonly pending?: number;
}

export interface BackendEndpoint {
  readonly address: string;
  readonly port: number;
  /** It fails its check, and gets nothing while others are there. The data plane writes this itself. */
  readonly isDown?: boolean;
}

/** Asked once for all workers. */
export interface HealthCheck {
  /** A GET that is answered 200 to 399; a connection that is taken; grpc.health.v1. */
  readonly type: "http" | "tcp" | "grpc";
  /** What is asked for: a path (`/` when absent), or a service of gRPC (the whole server when absent). */
  readonly path?: string;
  /** Said as Host; the endpoint's address when absent. */
  readonly host?: string;
  /** Between two questions, give or take a tenth. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** So many good answers in a row bring an endpoint back, so many bad ones put it out. */
  readonly healthy: number;
  readonly unhealthy: number;
}

export interface CertificateEntry {
  readonly id: string;
  /** PEM, leaf first. */
  readonly cert: string;
  /** PEM. Never logged, never sent anywhere but to the workers. */
  readonly key: string;
  /** What its responder says of it (an OCSP response in base64), for clients that ask. */
  readonly ocsp?: string;
}

/** A port that is served as a stream of bytes or datagrams, whatever they mean. */
export interface StreamEntry {
  /** `tcp:5432` or `udp:53`; what logs, counters and explanations call it. */
  readonly id: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly target: StreamTarget;
  /** Every connection begins with a PROXY header, which is believed of trusted proxies; without one it is closed. */
  readonly acceptProxy?: boolean;
}

/** Where a stream goes. */
export interface StreamTarget extends StreamRules {
  /** In turn; a connection stays with its endpoint. */
  readonly endpoints: readonly BackendEndpoint[];
}

/** How a stream is led to its backend. */
export interface StreamRules {
  /** What logs and errors call it, e.g. `dev/db:5432`; of a host's passthrough the id of the backend in the table. */
  readonly backend: string;
  /** Endpoints are told the client's address by a PROXY header of this version (TCP only). */
  readonly sendProxy?: 1 | 2;
  readonly connectMs: number;
  /** A connection or session in which nothing goes either way for so long is closed. */
  readonly idleMs: number;
  /** How many endpoints one connection may try. */
  readonly tries: number;
}

/** What changes from one table to the next. `undefined` removes an entry. Backends arrive before the routes that name
 * them take effect, and leave after. */
export interface TableChange {
  readonly hosts: readonly (readonly [name: string, entry: HostEntry | undefined])[];
  readonly backends: readonly (readonly [id: string, entry: BackendEntry | undefined])[];
  readonly certificates: readonly (readonly [id: string, entry: CertificateEntry | undefined])[];
  /** Ports that are served as streams: those that left close with their connections. */
  readonly streams?: readonly (readonly [id: string, entry: StreamEntry | undefined])[];
  /** The certificate for clients that name no known host; unchanged when absent. */
  readonly defaultCertificate?: string;
  /** Passed back in the acknowledgement: the revision of the API that this change brings into force. */
  readonly revision: string;
}
