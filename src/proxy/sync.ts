import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import type { Problem } from "#routing/because.ts";
import type { ServiceDiff, ServiceTable } from "#routing/l4/table.ts";
import type { ProxyMode, ProxyModeName, ProxyNode } from "./mode.ts";

/** The layer-4 table as it follows the API, shared by the proxies of all nodes of a process. */
export interface ServiceSource {
  /** Resolves when Services and EndpointSlices have been listed; nothing is told before. */
  readonly synced: Promise<void>;
  table(): ServiceTable;
  /** Tells the listener everything as `added` (once synced), then each difference. Returns how to stop it. */
  subscribe(listener: (diff: ServiceDiff) => void): () => void;
  stop(): void;
}

export declare function startServiceSource(
  client: Client,
  options?: { family?: 4 | 6; log?: Log; clock?: Clock },
): ServiceSource;

export interface ProxyOptions {
  readonly source: ServiceSource;
  readonly node: ProxyNode;
  readonly mode: ProxyMode;
  readonly log?: Log;
  readonly clock?: Clock;
  /** At least this long between the end of an apply and the start of the next; 2 by default. */
  readonly minSyncMs?: number;
}

export interface RunningProxy {
  readonly mode: ProxyModeName;
  /** The newest revision in force on the node; `"0"` before the first apply. */
  applied(): string;
  /** Resolves when that revision, or a newer one, is in force; rejects when the proxy is stopped first. */
  waitFor(revision: string): Promise<void>;
  problems(): readonly Problem[];
  /** Counters under the names upstream's kube-proxy gives them. */
  readonly counters: Readonly<Record<string, number>>;
  /** Ends the program's part; what is in the kernel stays. */
  stop(): Promise<void>;
  cleanup(): Promise<void>;
}

export declare function startProxy(options: ProxyOptions): RunningProxy;

export interface NodeProxiesOptions {
  readonly client: Client;
  readonly nodes: readonly ProxyNode[];
  /** `auto` takes the best mode that works on the node. */
  readonly mode?: ProxyModeName | "auto";
  /** Ranges used for nodes that name none of their own. */
  readonly serviceCidr?: string;
  readonly podCidr?: string;
  readonly log?: Log;
  readonly clock?: Clock;
}

export interface RunningProxies {
  /** By node name: the mode, and why it was chosen. */
  readonly modes: ReadonlyMap<string, { readonly name: ProxyModeName; readonly reason: string }>;
  readonly source: ServiceSource;
  proxy(node: string): RunningProxy | undefined;
  /** The lowest revision that is in force on every node. */
  applied(): string;
  waitFor(revision: string): Promise<void>;
  problems(): readonly Problem[];
  stop(): Promise<void>;
  cleanup(): Promise<void>;
}

/** Rejects when an explicitly asked mode cannot work; the message says why and which modes there are. */
export declare function startNodeProxies(options: NodeProxiesOptions): Promise<RunningProxies>;
