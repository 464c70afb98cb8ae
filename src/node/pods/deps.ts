import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Client } from "#client/contract.ts";
import type { ImagePrograms } from "../images/prepare.ts";
import type { TopologyNode } from "../network/plan.ts";
import type { RuntimeService } from "../runtime/contract.ts";
import type { EventRecorder } from "./events.ts";
import type { Lanes } from "./lanes.ts";
import type { PodObjects } from "./objects.ts";

/** What the pods of one node are run with. */
export interface PodDeps {
  readonly client: Client;
  readonly node: TopologyNode;
  readonly runtime: RuntimeService;
  readonly images: ImagePrograms;
  /** Where programs of this machine are. */
  readonly findProgram: (name: string) => string | undefined;
  /** Objects that pods refer to. */
  readonly objects: Omit<PodObjects, "stop"> & { services(namespace: string): readonly Service[] };
  /** A token for a pod's service account; absent where there is no one to ask. */
  readonly requestToken?: RequestToken;
  /** Resolves when nothing sends new connections to a pod's address any more; asked before its containers are stopped. */
  readonly withdrawn?: (address: string) => Promise<void>;
  readonly events: EventRecorder;
  /** Shared by all nodes of this machine: heavy work happens side by side only as far as there are processors. */
  readonly lanes: Lanes;
  /** One folder a pod is made in it. */
  readonly podsFolder: string;
  readonly clusterDomain: string;
  readonly dnsAddress: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly allocatable: { readonly cpu: number; readonly memory: number };
}

export type RequestToken = (request: {
  namespace: string;
  serviceAccount: string;
  pod: { name: string; uid: string };
  audience?: string;
  expirationSeconds?: number;
}) => Promise<{
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}>;
