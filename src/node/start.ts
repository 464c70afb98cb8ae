import { chmodSync, mkdirSync, readdirSync, statfsSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";
import { startHeartbeat } from "./heartbeat/beat.ts";
import { readMachine } from "./heartbeat/describe.ts";
import { createImagePrograms } from "./images/prepare.ts";
import type { Topology } from "./network/topology.ts";
import type { RequestToken } from "./pods/deps.ts";
import { followPodObjects } from "./pods/objects.ts";
import { startPodEngine, type PodEngine } from "./pods/engine.ts";
import { createEventRecorder } from "./pods/events.ts";
import { createLanes } from "./pods/lanes.ts";
import { removePodFolder } from "./pods/volume-release.ts";
import { inspectPodLeftovers, removeAllPods } from "./runtime/process/clear.ts";
import { layoutOf, type Layout } from "./runtime/process/layout.ts";
import { findProgram } from "./runtime/process/program.ts";
import { readSandboxes } from "./runtime/process/record.ts";
import { createProcessRuntime } from "./runtime/process/runtime.ts";
import { sweep } from "./runtime/process/sweep.ts";
import type { RuntimeService } from "./runtime/contract.ts";
import { startStreams } from "./streams/server.ts";

export { createTopology, inspectLeftovers, removeTopology, TopologyConflict } from "./network/topology.ts";
export type { Topology, TopologyNode, TopologyOptions } from "./network/topology.ts";
export type { RequestToken } from "./pods/deps.ts";
export { inspectPodLeftovers, removeAllPods };

export interface NodesOptions {
  /** How the API is reached for a node: as that node, which sees no more than it needs. */
  clientOf: (nodeName: string) => Client;
  /** From `createTopology`: which nodes there are and where their namespaces stand. */
  topology: Topology;
  /** Absolute path of a folder only root may read; everything about pods is kept here. */
  dataDir: string;
  /** More folders of the machine that no pod may see: where keys are. `dataDir` is one anyway. */
  keptFromPods?: readonly string[];
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
  /** Gets service account tokens for the pods of a node; without it, they have the CA and namespace but no token. */
  requestTokenOf?: (nodeName: string) => RequestToken;
  /** Resolves when nothing sends new connections to a pod's address any more; asked before its containers are stopped. */
  withdrawn?: (address: string) => Promise<void>;
}

export interface RunningNodes {
  readonly socketPath: string;
  /**
   * Ends the agent. `keep`: pods run on and the next agent adopts them; `remove`: they are stopped and everything of
   * theirs is removed, while their objects in the API stay as they are.
   */
  stop(options: { pods: "keep" | "remove" }): Promise<void>;
}

/** Registers the nodes, adopts the pods that still run, and runs all that the API has for these nodes from now on. */
export async function startNodes(options: NodesOptions): Promise<RunningNodes> {
  const { clientOf, topology, dataDir, clock, log } = options;
  const layout = layoutOf(topology.clusterId, dataDir, options.keptFromPods);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  chmodSync(dataDir, 0o700);
  await sweep(layout);
  const { blocks, bsize } = statfsSync(dataDir);
  const machine = readMachine(blocks * bsize);
  const anyClient = clientOf(topology.nodes[0]?.name ?? "");
  const services = startInformer(anyClient, "Service", { log, clock, indexes: { namespace: byNamespace } });
  const servicesOf = (namespace: string) => [
    ...services.by("namespace", namespace),
    ...(namespace === "default" ? [] : services.by("namespace", "default")),
  ];
  const shared = {
    images: createImagePrograms(layout.programs, options.nodeBinary, findProgram),
    findProgram,
    ...(options.withdrawn === undefined ? {} : { withdrawn: options.withdrawn }),
    lanes: createLanes(Math.max(2, os.availableParallelism())),
    podsFolder: layout.pods,
    clusterDomain: options.clusterDomain,
    dnsAddress: options.dnsAddress,
    clock,
    log,
    allocatable: { cpu: machine.cpus, memory: machine.memoryBytes },
  };

  const heartbeats = await Promise.all(
    topology.nodes.map((node) => {
      const zone = options.zones?.[node.name];
      const { kubeletVersion = "v1.36.0" } = options;
      return startHeartbeat({
        client: clientOf(node.name),
        node,
        machine,
        kubeletVersion,
        ...(zone && { zone }),
        clock,
        log,
      });
    }),
  );
  // A container must see the Services that were there before it.
  await services.synced;

  const runtimes: RuntimeService[] = [];
  const informers: { stop(): void }[] = [services];
  const engines: PodEngine[] = topology.nodes.map((node) => {
    const client = clientOf(node.name);
    const runtime = createProcessRuntime({ layout, node, log, clock });
    const events = createEventRecorder({ client, node: node.name, clock, log });
    const scope = { fieldSelector: `spec.nodeName=${node.name}` };
    const pods = startInformer(client, "Pod", { scope, log, clock });
    const changed = (namespace: string) => engine.objectsChanged(namespace);
    const followed = followPodObjects({ client, pods, changed, clock, log });
    const requestToken = options.requestTokenOf?.(node.name);
    runtimes.push(runtime);
    informers.push(pods, followed);
    const engine: PodEngine = startPodEngine(
      {
        ...shared,
        client,
        node,
        runtime,
        events,
        objects: { ...followed, services: servicesOf },
        ...(requestToken === undefined ? {} : { requestToken }),
      },
      pods,
    );
    return engine;
  });
  Promise.all(engines.map(({ settled }) => settled))
    .then(() => removeForgottenFolders(layout, engines))
    .catch((error: unknown) => log.warn({ error: String(error) }, "folders of pods that are gone were not removed"));
  const find = (namespace: string, name: string) => {
    for (const [index, engine] of engines.entries()) {
      const worker = engine.find(`${namespace}/${name}`);
      const runtime = runtimes[index];
      if (worker !== undefined && runtime !== undefined) return { worker, runtime };
    }
    return undefined;
  };
  const streams = await startStreams({ socketPath: options.socketPath, find, log, clock });
  return {
    socketPath: options.socketPath,
    async stop({ pods }) {
      await streams.stop();
      for (const stop of heartbeats) stop();
      for (const informer of informers) informer.stop();
      await Promise.all(engines.map((engine) => engine.stop()));
      await Promise.all(runtimes.map((runtime) => runtime.close()));
      if (pods === "remove") await removeAllPods(dataDir, topology.clusterId);
    },
  };
}

/** What an agent has left on disk that was killed between a pod's last sandbox and its folder. */
async function removeForgottenFolders(layout: Layout, engines: readonly PodEngine[]): Promise<void> {
  const folders = readdirSync(layout.pods);
  // Also pods of a node that this agent does not run.
  const kept = new Set(readSandboxes(layout).map(({ config }) => config.uid));
  const forgotten = folders.filter((uid) => !kept.has(uid) && !engines.some((engine) => engine.has(uid)));
  for (const uid of forgotten) await removePodFolder(join(layout.pods, uid));
}

const byNamespace = ({ metadata }: { metadata: { namespace?: string } }) => [metadata.namespace ?? ""];
