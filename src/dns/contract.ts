import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import type { NameTable } from "#routing/names/table.ts";
import type { DnsCounters, ProgrammingDurations } from "./metrics.ts";
import type { DnsSettings, PodNames } from "./settings.ts";

/** What cluster DNS needs to run; see `startDns`. */
export interface DnsOptions {
  readonly client: Client;
  /** Where to answer, UDP and TCP. Port 0 takes a free one, the same for both. May be empty: `addListener` adds later. */
  readonly listen: readonly ListenAddress[];
  /** The cluster zone, e.g. `cluster.local`. */
  readonly clusterDomain: string;
  /** Where names outside the cluster are asked; together with `resolvConf`. None at all: such names are REFUSED. */
  readonly upstreams?: readonly Upstream[];
  /** Text of a resolv.conf; its `nameserver` lines are upstreams. */
  readonly resolvConf?: string;
  /** Addresses under which this server is reached by others (the cluster address): never used as upstreams. */
  readonly serviceAddresses?: readonly string[];
  /** The Service that stands for this server in the zone's NS record. */
  readonly selfService?: { readonly namespace: string; readonly name: string };
  /** What `settings` says of pods comes first. */
  readonly pods?: PodNames;
  /** What a configuration file says; `configure` takes another while it runs. Refused as a whole when part of it is wrong. */
  readonly settings?: DnsSettings;
  readonly log?: Log;
  readonly clock?: Clock;
  /** False runs the server on the calling thread; for tests and for debugging. */
  readonly inWorker?: boolean;
  /** Waited for every few parts of a large difference: time to give back what they took, where nothing else must run. */
  readonly onParts?: () => Promise<void>;
  /** Where the worker's program is; by default `worker.ts` beside `start.ts`. A bundle says where it put it. */
  readonly workerUrl?: URL;
}

export type { DnsSettings, PodNames } from "./settings.ts";

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

export interface Upstream {
  readonly address: string;
  /** 53 when left out. */
  readonly port?: number;
}

export interface RunningDns {
  /**
   * The revision of the newest change that answers already show; `"0"` before the first. Each kind has a watch of its
   * own: over a remote client a change of another kind may be shown a moment earlier than an older one.
   */
  applied(): string;
  /** Resolves once `applied()` has reached the revision. Rejects when DNS stops first. */
  waitFor(revision: string): Promise<void>;
  /** Where it answers now, with the real ports. */
  readonly addresses: readonly ListenAddress[];
  /** Answers at one more address; resolves with the real port once it does, rejects with the system's error. */
  addListener(address: string, port: number): Promise<ListenAddress>;
  /** Replaces where names outside the cluster are asked, as when the machine moves to another network. */
  setUpstreams(to: { readonly upstreams?: readonly Upstream[]; readonly resolvConf?: string }): void;
  /**
   * Uses other settings from now on, and resolves once every worker answers by them; questions that are being asked
   * upstream still get their answers. Rejects, and changes nothing, when the settings are wrong (`settingsProblems`).
   */
  configure(settings: DnsSettings): Promise<void>;
  /** The settings in use. */
  settings(): DnsSettings;
  /** Whether all objects have been read and answers show them. Before that the zone answers SERVFAIL. */
  isReady(): boolean;
  /** The compiled names with the reasons for each, for explanations: compiled anew by each call. */
  table(): NameTable;
  counters(): Promise<DnsCounters>;
  /** Counted since it became ready: what was there before is no change. */
  readonly programming: ProgrammingDurations;
  /** Ends all listeners, the worker and the watches. */
  stop(): Promise<void>;
}
