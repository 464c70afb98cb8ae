import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import type { Topology } from "./network/topology.ts";

export interface NodesOptions {
  client: Client;
  /** From `createTopology`: which nodes there are and where their namespaces stand. */
  topology: Topology;
  /** Absolute path of a folder only root may read; everything about pods is kept here. */
  dataDir: string;
  /** Where the streaming server (logs, exec, attach, port-forward) listens; an old socket file is replaced. */
  socketPath: string;
  clusterDomain: string;
  /** The cluster DNS address that pods get in their resolv.conf. */
  dnsAddress: string;
  /** The Node program that runs inside pods for the built-in images. */
  nodeBinary: string;
  log: Log;
  clock: Clock;
  /** Shown as kubelet version, e.g. `v1.36.0`. */
  kubeletVersion?: string;
  /** Node name -> value of the label `topology.kubernetes.io/zone`. */
  zones?: Readonly<Record<string, string>>;
}

export interface RunningNodes {
  readonly socketPath: string;
  /**
   * Ends the agent. `keep`: pods run on and the next agent adopts them; `remove`: they are stopped and everything of
   * theirs is removed, while their objects in the API stay as they are.
   */
  stop(options: { pods: "keep" | "remove" }): Promise<void>;
}
