import type { TableChange } from "#dataplane/table.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import type { CertificateEntry } from "#dataplane/table.ts";
import type { Problem } from "#routing/because.ts";
import type { CompiledIngresses } from "#routing/l7/table.ts";
import type { StreamOutcome } from "#routing/streams/compiler.ts";
import type { FetchOcsp } from "./ocsp/fetch.ts";
import type { IngressOptions } from "./options.ts";

/** What the controller needs of the data plane: to make a change true in all workers and say when it is. */
export interface IngressDataplane {
  apply(change: TableChange): Promise<void> | void;
  /** Streams whose port cannot be had, with the system's word. */
  refusedStreams?(): ReadonlyMap<string, string>;
}

export interface StartIngressOptions {
  client: Client;
  dataplane: IngressDataplane;
  /** Values of `IngressClass.spec.controller` that are ours; `acceptedControllers` by default. */
  controllers?: readonly string[];
  /** Values of the annotation `kubernetes.io/ingress.class` that are ours; `acceptedClasses` by default. */
  classes?: readonly string[];
  /** Whether Ingresses without any class are ours; true by default. */
  watchWithoutClass?: boolean;
  /** The one namespace whose objects are followed; all when absent. */
  namespace?: string;
  /** For hosts without a certificate of their own; one is made with `createDefaultCertificate` when absent. */
  defaultCertificate?: CertificateEntry;
  /** Addresses or host names written into the status of accepted Ingresses; none writes no status. */
  publishAddresses?: readonly string[];
  /** Defaults for what annotations do not say. */
  options?: Partial<IngressOptions>;
  /** The ConfigMaps that map ports to Services past HTTP, `namespace/name`; none by default. */
  streams?: {
    readonly tcpConfigMap?: string;
    readonly udpConfigMap?: string;
    /** TCP ports that are in use already, and for what. */
    readonly reserved?: ReadonlyMap<number, string>;
  };
  /** How OCSP responders are asked, where `enable-ocsp` wants it; by HTTP by default. */
  fetchOcsp?: FetchOcsp;
  log?: Log;
  clock?: Clock;
}

export interface RunningIngress {
  /** Resolves when the first complete table is in force. */
  readonly ready: Promise<void>;
  /** The newest revision of the API that is in force; `"0"` before the first table. */
  applied(): string;
  /** Resolves when `applied()` has reached this revision; rejects when the controller stops first. */
  waitFor(revision: string): Promise<void>;
  /** One row a route, in order of host and precedence. */
  routes(): readonly RouteRow[];
  problems(): readonly Problem[];
  /** The ports that are served as streams, or why not, by id (`tcp:5432`). */
  streams(): ReadonlyMap<string, StreamOutcome>;
  /** The tables in force with the reason of every entry, for explanations. */
  compiled(): CompiledIngresses;
  /** Writes other addresses into the status of accepted Ingresses from now on. */
  publish(addresses: readonly string[]): void;
  /** Ends watches and writes; the data plane keeps what it has. */
  stop(): Promise<void>;
}

export interface RouteRow {
  readonly id: string;
  readonly host: string;
  readonly path: string;
  readonly match: "exact" | "prefix" | "characters" | "regex";
  /** The backend's id, or the fixed answer, e.g. `503 no Service dev/web`. */
  readonly backend: string;
  readonly endpoints: number;
  /** The certificate of the host: `namespace/secret`, or `default`; absent without a `tls` section. */
  readonly tls?: string;
}
