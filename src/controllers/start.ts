import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import { startAccountSecrets, type IssueToken } from "./account-secrets/control.ts";
import { startClusterRoleAggregation } from "./clusterrole-aggregation/control.ts";
import type { ControllerContext, RunningController } from "./controller.ts";
import { startDaemonSets } from "./daemonset/control.ts";
import { startDeployments } from "./deployment/control.ts";
import { startEndpoints } from "./endpoints/control.ts";
import { startEndpointSliceMirroring } from "./endpointslice-mirroring/control.ts";
import { startEndpointSlices } from "./endpointslice/control.ts";
import { createEventRecorder, type EventRecorder } from "#client/event-recorder.ts";
import { startGarbageCollector } from "./garbage-collector/control.ts";
import { startInformers, type ControllerInformers } from "./informers.ts";
import { startNamespaces } from "./namespace/control.ts";
import { startNodeLifecycle } from "./node-lifecycle/control.ts";
import { startNodePortRepair, type NodePortRepairOptions } from "./node-port/repair.ts";
import { startReplicaSets } from "./replicaset/control.ts";
import { startServiceCidrs } from "./service-cidr/control.ts";
import { startServiceIpRepair } from "./service-ip/repair.ts";
import { startScheduler } from "./scheduler/control.ts";

export interface ControllersOptions {
  client: Client;
  log: Log;
  clock: Clock;
  /** PEM; what pods trust the API server by, published in each namespace as ConfigMap `kube-root-ca.crt`. */
  caBundle?: string;
  /** Makes the tokens that Secrets of type `kubernetes.io/service-account-token` hold; without it they stay empty. */
  issueToken?: IssueToken;
  /** Part of the facts every engine is handed; no controller here depends on it. */
  clusterDomain?: string;
  /** The ranges of the ServiceCIDR `kubernetes`, which is made anew when it goes; without them there is none. */
  serviceCidrs?: readonly string[];
  /** Where node ports are given out; without it nobody looks after them. */
  nodePorts?: NodePortRepairOptions;
  /** How many endpoints one EndpointSlice holds; 100 by default. */
  maxEndpointsPerSlice?: number;
}

export interface RunningControllers {
  readonly informers: ControllerInformers;
  /** Resolves when no controller has queued or running work; delayed work does not count. */
  idle(): Promise<void>;
  /** Takes no more changes; resolves when the running work has ended. */
  stop(): Promise<void>;
}

/** The controllers in the order they are started: what makes pods first, then what follows from pods. */
const controllers: readonly ((
  context: ControllerContext,
  options: ControllersOptions,
) => RunningController | undefined)[] = [
  (context, { caBundle }) => startNamespaces(context, caBundle),
  startNodeLifecycle,
  startDeployments,
  startReplicaSets,
  startDaemonSets,
  startScheduler,
  (context, { serviceCidrs }) => startServiceCidrs(context, serviceCidrs),
  startServiceIpRepair,
  (context, { nodePorts }) => nodePorts && startNodePortRepair(context, nodePorts),
  (context, { maxEndpointsPerSlice }) => startEndpointSlices(context, maxEndpointsPerSlice),
  startEndpoints,
  startEndpointSliceMirroring,
  startGarbageCollector,
  startClusterRoleAggregation,
  (context, { issueToken, caBundle }) => startAccountSecrets(context, issueToken, caBundle),
];

/**
 * Starts all controllers over one set of informers. Resolves when every kind has been listed and every controller has
 * queued what already exists.
 */
export async function startControllers(options: ControllersOptions): Promise<RunningControllers> {
  const { client, log, clock } = options;
  const informers = startInformers(client, { log, clock });
  await informers.synced;
  const recorders = new Map<string, EventRecorder>();
  const recorder = (component: string): EventRecorder => {
    const found = recorders.get(component) ?? createEventRecorder(client, component, { clock, log });
    recorders.set(component, found);
    return found;
  };
  const context: ControllerContext = { client, informers, log, clock, recorder };
  const running = controllers.map((start) => start(context, options)).filter((each) => each !== undefined);
  return {
    informers,
    async idle() {
      await Promise.all(running.map((controller) => controller.idle()));
    },
    async stop() {
      await Promise.all(running.map((controller) => controller.stop()));
      await Promise.all([...recorders.values()].map((each) => each.flush()));
      informers.stop();
    },
  };
}
