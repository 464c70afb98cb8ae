import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { CountersSnapshot } from "./counters.ts";
import type { FailureRecord } from "./failures.ts";
import type { AccessLogOptions } from "./log/access-log.ts";
import type { Limits } from "./limits.ts";
import type { TableChange } from "./table.ts";

/** One place to accept connections on. Port 0 takes a free one; `addresses` of the running data plane tells which. */
export interface ListenerSpec {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface DataplaneOptions {
  readonly listeners: readonly ListenerSpec[];
  /** Worker threads, each listening on every port; 0 serves in the calling thread. One a core when absent. */
  readonly workers?: number;
  readonly log: Log;
  readonly clock: Clock;
  /** The worker's module where it does not lie beside this one (a bundle). */
  readonly workerUrl?: URL;
  readonly limits?: Partial<Limits>;
  /** Ranges (CIDR) of clients whose X-Forwarded-* fields are believed; none by default. */
  readonly trustedProxies?: readonly string[];
  /** Where requests are written down; nowhere by default. */
  readonly accessLog?: AccessLogOptions;
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
