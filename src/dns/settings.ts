/**
 * What a configuration file can say about cluster DNS; everything has a default. Plain data: it crosses to the workers
 * as it is. `config/` reads it from YAML or a Corefile, `configure` of a running server takes a new one.
 */
export interface DnsSettings {
  /** Further zones that hold the same cluster names, besides the cluster domain. */
  readonly zones?: readonly string[];
  /** How `a-b-c-d.ns.pod.ZONE` is answered: by its spelling, only when there is such a pod, or not at all. */
  readonly pods?: PodNames;
  /** Of records of the cluster zone; 30 by default, 0 to 3600. */
  readonly ttlSeconds?: number;
  /** Of answers that say "no such name"; 5 by default. */
  readonly negativeTtlSeconds?: number;
  /** Endpoints without a host name are called by their pod instead of their dashed address. */
  readonly endpointPodNames?: boolean;
  /** A ClusterIP Service without ready endpoints does not exist. */
  readonly ignoreEmptyService?: boolean;
  /** Only these namespaces are served; all by default. */
  readonly namespaces?: readonly string[];
  /** The longest zone that fits takes the question; `.` takes the rest. Own zones are never forwarded. */
  readonly forward?: readonly ForwardRule[];
  readonly cache?: CacheSettings;
  readonly hosts?: HostsSettings;
  /** In order; the first that fits changes the name that is looked up. */
  readonly rewrite?: readonly RewriteRule[];
  /** Which questions are written to the log, with the asking pod's name. */
  readonly queryLog?: "off" | "errors" | "all";
  /** Threads that answer, sharing one port. 1 by default. */
  readonly workers?: number;
  readonly limits?: DnsLimits;
}

export type PodNames = "insecure" | "verified" | "disabled";

export interface ForwardRule {
  /** Without the final dot; `.` for everything. */
  readonly zone: string;
  readonly upstreams: readonly { readonly address: string; readonly port?: number }[];
  readonly policy?: "random" | "round_robin" | "sequential";
  /** Names below the zone that are not forwarded. */
  readonly except?: readonly string[];
  readonly attemptTimeoutMs?: number;
  /** All attempts together; below the 5 s after which resolvers give up. */
  readonly totalTimeoutMs?: number;
  readonly maxConcurrent?: number;
  /** Failures in a row after which an upstream is passed over until a health check succeeds; 2 by default. */
  readonly maxFails?: number;
  readonly healthCheckMs?: number;
}

export interface CacheSettings {
  readonly capacity?: number;
  readonly maxTtlSeconds?: number;
  readonly maxNegativeTtlSeconds?: number;
  readonly minTtlSeconds?: number;
  /** Asked again before it ends, when it was asked for `hits` times and `percent` of its life are left. */
  readonly prefetch?: { readonly hits: number; readonly percent: number };
  /** Answers that have ended are still given for this long while no upstream answers (RFC 8767). */
  readonly serveStaleSeconds?: number;
}

export interface HostsSettings {
  readonly entries: readonly { readonly address: string; readonly names: readonly string[] }[];
  readonly ttlSeconds?: number;
  /** Whether other questions of these names go on to the next part; false answers them with no data. */
  readonly fallthrough?: boolean;
}

export interface RewriteRule {
  readonly match: "exact" | "prefix" | "suffix" | "substring" | "regex";
  readonly from: string;
  /** For `regex`, `{1}` and so on stand for its groups. */
  readonly to: string;
  /** Answers carry the name that was asked; true by default. */
  readonly answerAsked?: boolean;
}

export interface DnsLimits {
  /** Of UDP answers; 1232 by default. */
  readonly udpPayload?: number;
  readonly tcpConnections?: number;
  readonly tcpIdleMs?: number;
  /** Questions a second of one address, beyond which they are dropped; 0 for no limit. */
  readonly perClientRate?: number;
}
