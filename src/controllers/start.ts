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

type Start = (context: ControllerContext, options: ControllersOptions) => RunningController | undefined;

/** The controllers in the order they are started: what makes pods first, then what follows from pods. */
const controllers: readonly Start[] = [
  (context, { caBundle }) => startNamespaces(context, caBundle),
  startNodeLifecycle,
  startDeployments,
  startReplicaSets,
  startDaemonSets,
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

/** Starts the controllers and the scheduler, as one server does that has its store for itself. */
export function startControllers(options: ControllersOptions): Promise<RunningControllers> {
  return startOver(startInformers, [...controllers, startScheduler], options);
}

/** Starts the controllers without the scheduler: what upstream's `kube-controller-manager` is. */
export function startControllerManager(options: ControllersOptions): Promise<RunningControllers> {
  return startOver(startInformers, controllers, options);
}

/** Starts what upstream's `kube-scheduler` is. */
export function startSchedulerAlone(options: ControllersOptions): Promise<RunningControllers> {
  const informersOf: typeof startInformers = (client, parts) => startInformers(client, parts, ["Pod", "Node"]);
  return startOver(informersOf, [startScheduler], options);
}

/**
 * Starts controllers over one set of informers. Resolves when every kind has been listed and every controller has
 * queued what already exists.
 */
async function startOver(
  informersOf: typeof startInformers,
  starts: readonly Start[],
  options: ControllersOptions,
): Promise<RunningControllers> {
  const { client, log, clock } = options;
  const informers = informersOf(client, { log, clock });
  await informers.synced;
  const recorders = new Map<string, EventRecorder>();
  const recorder = (component: string): EventRecorder => {
    const found = recorders.get(component) ?? createEventRecorder(client, component, { clock, log });
    recorders.set(component, found);
    return found;
  };
  const context: ControllerContext = { client, informers, log, clock, recorder };
  const running = starts.map((start) => start(context, options)).filter((each) => each !== undefined);
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
