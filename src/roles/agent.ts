import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeFile } from "#apiserver/certificates.ts";
import { serverVersion } from "#apiserver/version.ts";
import { systemClock } from "#base/clock.ts";
import { freeMemoryOfStart } from "#base/free-memory.ts";
import type { Log } from "#base/log.ts";
import { createRemoteClient, type RemoteClient } from "#client/remote.ts";
import {
  allAddresses,
  createTopology,
  removeTopology,
  watchTopology,
  type Topology,
  type TopologyOptions,
} from "#node/network/topology.ts";
import { changeOutside } from "#node/network/outside.ts";
import { startNodes, type RequestToken, type RunningNodes } from "#node/start.ts";
import { followConfigMap, type FollowedConfigMap } from "#proxy/config/config-map.ts";
import type { ProxyModeName } from "#proxy/mode.ts";
import { startNodeProxies, type NodeProxiesOptions, type RunningProxies } from "#proxy/sync.ts";
import type { AgentConfig, FromAgent, ToAgent } from "./agent-messages.ts";
import { openLog } from "./log.ts";
import { startOutside, type RunningOutside } from "./outside.ts";
import { RoleError } from "./report.ts";
import { endOnUnexpected } from "./unexpected.ts";

/**
 * The agent process: the network of all local nodes, their pods and their service proxies. It is driven by the server
 * process over the channel it was started with, and ends when that goes; pods and rules stay then, and the next agent
 * takes them over.
 */
export async function runAgent(): Promise<void> {
  if (process.send === undefined)
    throw new RoleError("`fairlead agent` is started by `fairlead up`", "run: fairlead up");
  // Ctrl-C reaches the whole group; the server decides what the agent does about it.
  process.on("SIGINT", () => {});
  process.on("disconnect", () => process.exit(0));
  const agent = createAgent((message) => process.send?.(message, undefined, undefined, () => {}));
  const exit = () => process.exit(0);
  process.on("SIGTERM", () => void agent.stop("keep").then(exit, exit));
  // One order after the other: what is still being made when the end is asked for would be left behind.
  let done = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    process.on("message", (message: ToAgent) => {
      if (message.type === "configure") done = done.then(() => agent.configure(message.config));
      else if (message.type === "connect") done = done.then(() => agent.connect(message.server));
      else done.then(() => agent.stop(message.pods)).then(resolve, reject);
    });
  });
  process.disconnect?.();
}

interface Agent {
  configure(config: AgentConfig): Promise<void>;
  connect(server: string): Promise<void>;
  stop(pods: "keep" | "remove"): Promise<void>;
}

function createAgent(tell: (message: FromAgent) => void): Agent {
  let config: AgentConfig | undefined;
  let log: Log | undefined;
  let topology: Topology | undefined;
  let stopWatching: (() => Promise<void>) | undefined;
  let clients: RemoteClient[] = [];
  let nodes: RunningNodes | undefined;
  let proxies: RunningProxies | undefined;
  let configMap: FollowedConfigMap | undefined;
  let outside: RunningOutside | undefined;

  function fail(error: unknown, next?: string): void {
    const text = error instanceof Error ? error.message : String(error);
    log?.error({ error: text, stack: error instanceof Error ? error.stack : undefined }, "the agent cannot work");
    tell({ type: "failed", text, ...(next === undefined ? {} : { next }) });
  }

  /** Gives the machine and the nodes a way to the outside addresses there are now. */
  async function changeRanges(ranges: readonly string[]): Promise<void> {
    if (config === undefined || log === undefined) return;
    const [before, after] = [config, { ...config, loadBalancerCidrs: ranges }].map(topologyOptions);
    if (before === undefined || after === undefined) return;
    await stopWatching?.();
    try {
      await changeOutside(before, after);
      config = { ...config, loadBalancerCidrs: ranges };
    } finally {
      stopWatching = watchTopology(topologyOptions(config), networkDeps(log));
    }
  }

  return {
    async configure(given) {
      config = given;
      try {
        log = openLog(given.logFile, "agent");
        endOnUnexpected(log, (text) => process.stderr.write(`unexpected: ${text}\n`));
        topology = await createTopology(topologyOptions(given));
        stopWatching = watchTopology(topologyOptions(given), networkDeps(log));
        tell({ type: "network", uplinkAddress: topology.uplink.address });
      } catch (error) {
        fail(error);
      }
    },
    async connect(server) {
      if (config === undefined || topology === undefined || log === undefined) return;
      const pem = (name: string) => readFileSync(join(config?.certificatesDir ?? "", name), "utf8");
      try {
        const clientOf = (file: string) => {
          const proof = { ca: pem("ca.crt"), cert: pem(`${file}.crt`), key: pem(`${file}.key`) };
          return createRemoteClient({ server, ...proof, name: "fairlead-agent" });
        };
        const ofNodes = new Map(topology.nodes.map(({ name }) => [name, clientOf(nodeFile(name))]));
        const ofNode = (name: string) => ofNodes.get(name) as RemoteClient;
        const ofProxies = clientOf("kube-proxy");
        const ofLoadBalancer = clientOf("load-balancer");
        clients = [ofProxies, ofLoadBalancer, ...ofNodes.values()];
        configMap = await followConfigMap({
          client: ofProxies,
          mode: config.proxyMode as ProxyModeName | "auto",
          log: log.child({ part: "proxy" }),
          clock: systemClock,
        });
        const [startedNodes, running] = await Promise.all([
          startNodes({
            clientOf: ofNode,
            topology,
            dataDir: config.nodesDir,
            keptFromPods: [config.dataDir, config.certificatesDir],
            socketPath: config.socketPath,
            clusterDomain: config.clusterDomain,
            dnsAddress: config.dnsAddress,
            nodeBinary: process.execPath,
            kubeletVersion: serverVersion.gitVersion,
            requestTokenOf: (name) => tokensFrom(ofNode(name)),
            withdrawn: async (address) => proxies?.withdrawn(address),
            log: log.child({ part: "nodes" }),
            clock: systemClock,
          }),
          startProxies(configMap, {
            client: ofProxies,
            nodes: topology.nodes.map((node) => ({
              name: node.name,
              netns: node.netns,
              isNew: topology?.newNodes.has(node.name) ?? false,
              addresses: allAddresses(node, node.address),
              podCidrs: [],
              serviceCidrs: [],
            })),
            serviceCidr: config.serviceCidr,
            podCidr: config.podCidr,
            log: log.child({ part: "proxy" }),
          }),
        ]);
        [nodes, proxies] = [startedNodes, running];
        outside = startOutside({
          client: ofLoadBalancer,
          nodes: topology.nodes,
          flags: config.loadBalancerCidrs,
          log: log.child({ part: "load-balancer" }),
          clock: systemClock,
          changeRanges: (ranges) => changeRanges(ranges),
        });
        const warning = running.modes.values().next().value?.warning;
        tell({ type: "running", proxyMode: modeOf(running), ...(warning === undefined ? {} : { warning }) });
        configMap.follow(
          async (settings) => {
            const problems = await running.configure(settings);
            return [`mode ${modeOf(running)}`, ...problems].join("; ");
          },
          (text) => tell({ type: "proxy", text }),
        );
        freeMemoryOfStart(systemClock);
        running.source.subscribe(({ revision }) => {
          running.waitFor(revision).then(
            () => tell({ type: "applied", revision }),
            () => {},
          );
        });
      } catch (error) {
        fail(error);
      }
    },
    async stop(pods) {
      await outside?.stop();
      await stopWatching?.();
      await configMap?.stop();
      await proxies?.stop();
      await nodes?.stop({ pods });
      if (pods === "remove" && config !== undefined) {
        await proxies?.cleanup();
        await removeTopology(topologyOptions(config));
      }
      for (const client of clients) client.close();
    },
  };
}

function networkDeps(log: Log) {
  return { clock: systemClock, log: log.child({ part: "network" }) };
}

/** Each token ends with its pod. */
function tokensFrom(client: RemoteClient): RequestToken {
  return ({ namespace, serviceAccount, pod, audience, expirationSeconds }) =>
    client.createToken(
      { namespace, name: serviceAccount },
      {
        ...(audience === undefined ? {} : { audiences: [audience] }),
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
        boundObjectRef: { kind: "Pod", apiVersion: "v1", ...pod },
      },
    );
}

/** A cluster whose ConfigMap asks for what cannot be had starts without it, or nobody could correct it. */
async function startProxies(
  configMap: FollowedConfigMap,
  options: Omit<NodeProxiesOptions, "settings">,
): Promise<RunningProxies> {
  try {
    return await startNodeProxies({ ...options, settings: configMap.settings });
  } catch (error) {
    const settings = configMap.withoutIt(error instanceof Error ? error.message : String(error));
    return startNodeProxies({ ...options, settings });
  }
}

/** All nodes of a process have the same. */
function modeOf({ modes }: RunningProxies): string {
  const [mode] = modes.values();
  return mode?.name ?? "none";
}

function topologyOptions(config: AgentConfig): TopologyOptions {
  return {
    clusterId: config.clusterId,
    nodeCount: config.nodes,
    nodeSubnet: config.nodeCidr,
    podCidr: config.podCidr,
    serviceCidr: config.serviceCidr,
    loadBalancerCidrs: config.loadBalancerCidrs,
  };
}
