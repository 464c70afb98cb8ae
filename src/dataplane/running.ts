import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { CountersSnapshot } from "./counters.ts";
import type { FailureRecord } from "./failures.ts";
import type { AccessLogOptions } from "./log/access-log.ts";
import type { Served } from "./log/served.ts";
import type { Limits } from "./limits.ts";
import type { TlsSettings } from "./tls/settings.ts";
import type { TableChange } from "./table.ts";
import type { Sampling, Span } from "./trace/span.ts";

/** One place to accept connections on. Port 0 takes a free one; `addresses` of the running data plane tells which. */
export interface ListenerSpec {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface DataplaneOptions {
  readonly listeners: readonly ListenerSpec[];
  /**
   * The table that is served from the first connection on; an empty one when absent, so that requests are answered 404
   * until the first change.
   */
  readonly table?: TableChange;
  /**
   * Another data plane, such as that of the version before, listens on the same ports and is about to go: both get
   * connections until it stops. Ports must be given. Only with workers.
   */
  readonly isBeside?: boolean;
  /** Worker threads, each listening on every port; 0 serves in the calling thread. One a core when absent. */
  readonly workers?: number;
  readonly log: Log;
  readonly clock: Clock;
  /** The worker's module where it does not lie beside this one (a bundle). */
  readonly workerUrl?: URL;
  readonly limits?: Partial<Limits>;
  /** Ranges (CIDR) of clients whose X-Forwarded-* fields are believed; none by default. */
  readonly trustedProxies?: readonly string[];
  /**
   * Set where a proxy in front begins every connection with a PROXY header (version 1 or 2), also of streams that accept
   * one: ranges (CIDR) of the peers that it is believed of. `isRequired` is about the listeners of HTTP.
   */
  readonly proxyProtocol?: { readonly isRequired: boolean; readonly from: readonly string[] };
  readonly tls?: TlsSettings;
  /** Where requests are written down; nowhere by default. */
  readonly accessLog?: AccessLogOptions;
  /** Where the spans of traced routes go; nowhere by default. */
  readonly tracing?: TracingOptions;
  /** DNS servers that know the names of endpoints, asked before the machine's own resolver; none by default. */
  readonly nameServers?: readonly string[];
  /**
   * How bytes without TLS come and go: `auto` takes Node's own handles where a check at the start finds that they do what
   * is needed, and the public sockets elsewhere; `public` takes those in any case. `auto` when absent.
   */
  readonly transport?: "auto" | "public" | undefined;
  /** HTTP/2 to clients: offered over TLS, and taken by prior knowledge without; `false` turns it off. */
  readonly http2?: boolean;
}

export interface TracingOptions {
  readonly sampling: Sampling;
  /** Gets the spans of all workers; `dropped` is how many there was no room for. */
  readonly export: (spans: readonly Span[], dropped: number) => void;
}

/** What a started data plane offers. */
export interface RunningDataplane {
  /** In the order of the options, with the ports that were taken. */
  readonly addresses: readonly ListenerSpec[];
  /** Brings a change into force; resolves when every worker uses it for the requests that begin from then on. */
  apply(change: TableChange): Promise<void>;
  /** Streams that wait because their port cannot be had, each with the system's word (`EADDRINUSE`). They are tried again. */
  refusedStreams(): ReadonlyMap<string, string>;
  /** What was served so far, summed over the workers. */
  counters(): CountersSnapshot;
  /** The last failed requests (at most 256 a worker), oldest first. */
  failures(): Promise<readonly FailureRecord[]>;
  /** Some of the last requests that were served (at most 20 a second and 100 in all of a worker), oldest first. */
  sample(): Promise<readonly Served[]>;
  /** Stops accepting, lets requests under way end for at most `drainMs`, then closes everything. */
  stop(options: { readonly drainMs: number }): Promise<void>;
}

/** Why listening failed: `EADDRINUSE`, `EACCES`, ... so that the composition can choose the next port. */
export class ListenError extends Error {
  readonly code: string;
  readonly listener: ListenerSpec;

  constructor(listener: ListenerSpec, cause: NodeJS.ErrnoException) {
    const code = cause.code ?? "EUNKNOWN";
    const next = code === "EADDRINUSE" ? "stop what listens there or choose another port" : "choose another port";
    super(`cannot listen on ${listener.host}:${listener.port}: ${code}; ${next}`, { cause });
    this.name = "ListenError";
    this.code = code;
    this.listener = listener;
  }
}
