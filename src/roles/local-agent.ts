import { fileURLToPath } from "node:url";
import type { AgentConfig, FromAgent, ToAgent } from "./agent-messages.ts";
import type { Report } from "./report.ts";
import { RoleError } from "./report.ts";
import type { ServerParts } from "./server.ts";
import { supervise } from "./supervise.ts";

/** The agent process as the server sees it. */
export interface LocalAgent {
  /** Resolves when the node namespaces and the uplink are there. */
  readonly network: Promise<{ uplinkAddress: string }>;
  /** Resolves when nodes are registered and their proxies run. */
  readonly running: Promise<{ proxyMode: string }>;
  /** Tells the agent where the API server listens, now and after each restart of the agent. */
  connect(server: string): void;
  /** Resolves when every node's proxy has the revision in force. */
  waitFor(revision: number): Promise<void>;
  stop(pods: "keep" | "remove"): Promise<void>;
}

const program = import.meta.url.endsWith(".ts") ? "../../bin/fairlead.ts" : "./main.js";

export function startLocalAgent(
  { options, plan, paths, log }: ServerParts,
  clusterId: string,
  report: Report,
): LocalAgent {
  const config: AgentConfig = {
    clusterId,
    nodes: options.nodes,
    proxyMode: options.proxyMode,
    serviceCidr: options.serviceCidr,
    podCidr: options.podCidr,
    nodeCidr: options.nodeCidr,
    loadBalancerCidrs: options.loadBalancerCidrs,
    clusterDomain: options.clusterDomain,
    dnsAddress: plan.dnsServiceAddress,
    dataDir: paths.root,
    nodesDir: paths.nodes,
    socketPath: paths.agentSocket,
    logFile: paths.agentLog,
    certificatesDir: paths.certificates,
  };
  const network = Promise.withResolvers<{ uplinkAddress: string }>();
  const running = Promise.withResolvers<{ proxyMode: string }>();
  // Whoever waits sees the failure; nobody waiting is no crash.
  network.promise.catch(() => {});
  running.promise.catch(() => {});
  let server: string | undefined;
  let networkIsThere = false;
  let applied = 0;
  let worked = false;
  let waiters: { revision: number; resolve: () => void }[] = [];

  const agent = supervise<FromAgent, ToAgent>({
    module: fileURLToPath(new URL(program, import.meta.url)),
    args: ["agent"],
    log: log.child({ part: "agent" }),
    started: (child) => {
      networkIsThere = false;
      child.send({ type: "configure", config } satisfies ToAgent);
    },
    crashed: (text) => report({ type: "warning", text }),
    message(message) {
      switch (message.type) {
        case "network":
          networkIsThere = true;
          network.resolve(message);
          if (server !== undefined) agent.send({ type: "connect", server });
          break;
        case "running":
          worked = true;
          running.resolve(message);
          if (message.notice !== undefined) report({ type: "notice", text: message.notice });
          if (message.warning !== undefined) report({ type: "warning", text: message.warning });
          break;
        case "proxy":
          report({ type: "notice", text: message.text });
          break;
        case "applied":
          applied = Math.max(applied, Number(message.revision));
          for (const { revision, resolve } of waiters) if (revision <= applied) resolve();
          waiters = waiters.filter(({ revision }) => revision > applied);
          break;
        case "failed": {
          // What has failed now may go well the next time: the disk has space again, the API answers.
          if (worked) agent.restart();
          const error = new RoleError(message.text, message.next);
          network.reject(error);
          running.reject(error);
        }
      }
    },
  });

  return {
    network: network.promise,
    running: running.promise,
    connect(address) {
      server = address;
      if (networkIsThere) agent.send({ type: "connect", server });
    },
    waitFor: (revision) =>
      revision <= applied ? Promise.resolve() : new Promise((resolve) => waiters.push({ revision, resolve })),
    async stop(pods) {
      const isDone = await agent.stop({ type: "stop", pods }, 40_000);
      if (pods === "keep") return;
      const { inspectPodLeftovers, removeAllPods } = await import("#node/runtime/process/clear.ts");
      if (isDone && inspectPodLeftovers(paths.nodes, clusterId).length === 0) return;
      // It had crashed, had not come to its pods yet, or did not end: what is left is found by its name.
      const { removeTopology } = await import("#node/network/topology.ts");
      await removeAllPods(paths.nodes, clusterId);
      await removeTopology({ clusterId });
    },
  };
}
