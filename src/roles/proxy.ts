import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { systemClock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { followConfig, type FollowedFile } from "#api/config/follow-file.ts";
import { hasErrors, renderProblem } from "#api/config/problem.ts";
import { createRemoteClient } from "#client/remote.ts";
import { startAnnouncer, type RunningAnnouncer } from "#loadbalancer/announce/start.ts";
import type { ProxyConfig } from "#proxy/config/kind.ts";
import { readProxyConfig } from "#proxy/config/read.ts";
import { settingsOf } from "#proxy/config/settings.ts";
import { modes } from "#proxy/modes/index.ts";
import { startNodeProxies, type RunningProxies } from "#proxy/sync.ts";
import { checkAccess, connectionOf, type Needs } from "./connection.ts";
import { linkOf } from "./outside.ts";
import type { ProxyRoleOptions } from "./proxy-options.ts";
import { RoleError, step, type Report } from "./report.ts";

export interface RunningProxyRole {
  readonly proxies: RunningProxies;
  /** Ends the program's part; the rules stay, and traffic goes on. */
  stop(report: Report): Promise<void>;
}

const readFile = (path: string) => readFileSync(path, "utf8");

const needs: Needs = {
  kinds: ["Service", "EndpointSlice", "Node"],
  what: "what the service proxy serves",
  rights: "get, list and watch of services, nodes and endpointslices.discovery.k8s.io, as system:node-proxier has",
};

/**
 * The service proxy of one node of a cluster that somebody else runs, in the network namespace of this process, as
 * kube-proxy is. Resolves when the cluster's Services are in force. Rejects with `RoleError`; nothing runs on then.
 */
export async function startProxyRole(
  options: ProxyRoleOptions,
  report: Report,
  { log, env }: { log: Log; env: Readonly<Record<string, string | undefined>> },
): Promise<RunningProxyRole> {
  const { config: path, context, proxyMode } = options;
  const config = path === undefined ? {} : loadConfig(path, report);
  const name = (options.hostnameOverride ?? config.hostnameOverride ?? hostname()).trim().toLowerCase();
  const kubeconfig = options.kubeconfig ?? config.clientConnection?.kubeconfig;
  const connection = connectionOf(
    { command: "proxy", ...(kubeconfig !== undefined && { kubeconfig }), ...(context !== undefined && { context }) },
    env,
  );
  const client = createRemoteClient(connection);
  let proxies: RunningProxies | undefined;
  let announcer: RunningAnnouncer | undefined;
  try {
    await step(report, "access", `Reading ${connection.server}`, async () => {
      const unreachable = await checkAccess(client, connection.server, needs);
      if (unreachable !== undefined) {
        report({ type: "warning", text: `${unreachable}; trying again, rules of an earlier run stay until then` });
      }
    });
    const settings = settingsOf(config, proxyMode);
    if (settings.podCidrs === undefined) {
      const text =
        "no range of pods is known (clusterCIDR): nobody's source address is changed on its way to a cluster IP";
      report({ type: "warning", text });
    }
    proxies = await step(report, "proxy", `Service proxy of node ${name}`, async (say) => {
      const running = await start(client, name, settings, log);
      say(`Service proxy of node ${name} in mode ${modeOf(running)}`);
      return running;
    });
    announcer = announce(options.announceOn, name, { client, log });
    const { healthz, metrics } = settings.faces;
    if (healthz !== undefined)
      report({ type: "notice", text: `/healthz and /livez at ${healthz.address}:${healthz.port}` });
    if (metrics !== undefined) {
      report({ type: "notice", text: `/metrics and /proxyMode at ${metrics.address}:${metrics.port}` });
    }
  } catch (error) {
    client.close();
    throw error;
  }
  const running = proxies;
  const followed = path === undefined ? undefined : followFile(path, config, options, running, report);
  return {
    proxies: running,
    async stop(report) {
      followed?.stop();
      await step(
        report,
        "stop",
        "Service proxy stopped; its rules stay, and fairlead proxy --cleanup removes them",
        async () => {
          await announcer?.stop();
          await running.stop();
        },
      );
      client.close();
    },
  };
}

/** Addresses that it cannot have any more, because it is silent, go to another node by themselves. */
function announce(
  device: string | undefined,
  name: string,
  { client, log }: { client: ReturnType<typeof createRemoteClient>; log: Log },
): RunningAnnouncer | undefined {
  if (device === undefined) return undefined;
  if (!Object.hasOwn(networkInterfaces(), device)) {
    throw new RoleError(`there is no interface ${device} here, or it is down`, "ip -br link lists them");
  }
  const nodes = [{ name, link: linkOf(device, log) }];
  return startAnnouncer({ client, nodes, log: log.child({ part: "load-balancer" }), clock: systemClock });
}

async function start(
  client: ReturnType<typeof createRemoteClient>,
  name: string,
  settings: ReturnType<typeof settingsOf>,
  log: Log,
): Promise<RunningProxies> {
  const node = { name, addresses: [], podCidrs: [], serviceCidrs: [] };
  let proxies: RunningProxies;
  try {
    proxies = await startNodeProxies({ client, nodes: [node], settings, log: log.child({ part: "proxy" }) });
  } catch (error) {
    throw new RoleError(
      error instanceof Error ? error.message : String(error),
      "docs/reference/proxy.md has the modes",
    );
  }
  await proxies.source.synced;
  await Promise.all([proxies.waitFor(proxies.source.revision()), proxies.listening()]);
  return proxies;
}

/** Throws `RoleError` with all that is wrong; what has no effect is told. */
function loadConfig(path: string, report: Report): ProxyConfig {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    throw new RoleError(`the configuration cannot be read: ${(error as Error).message}`);
  }
  const { config, problems } = readProxyConfig(text, path);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (hasErrors(problems))
    throw new RoleError(errors.map(renderProblem).join("\n"), "docs/reference/proxy.md lists what can be said");
  for (const problem of problems) report({ type: "warning", text: renderProblem(problem) });
  return config;
}

function followFile(
  path: string,
  first: ProxyConfig,
  { proxyMode }: ProxyRoleOptions,
  proxies: RunningProxies,
  report: Report,
): FollowedFile {
  const fixed = ({ hostnameOverride, clientConnection }: ProxyConfig) =>
    JSON.stringify({ hostnameOverride, clientConnection });
  return followConfig({
    readFile,
    read: (readFile) => readProxyConfig(readFile(path), path),
    async changed({ config, problems }) {
      const unheard = await proxies.configure(settingsOf(config, proxyMode));
      report({ type: "notice", text: `${path} has changed and is in use: mode ${modeOf(proxies)}` });
      if (fixed(config) !== fixed(first)) {
        report({ type: "warning", text: `${path}: hostnameOverride and clientConnection change at the next start` });
      }
      for (const text of [...unheard, ...problems.map(renderProblem)]) report({ type: "warning", text });
    },
    refused: (why) =>
      report({ type: "warning", text: `${path} has changed and cannot be used, the one before stays:\n${why}` }),
  });
}

/** Removes what any mode left in the kernel of this network namespace. False when something may be left. */
export async function cleanUpProxy(report: Report): Promise<boolean> {
  let isClean = true;
  await step(report, "cleanup", "Rules of Services removed", async (say) => {
    for (const mode of modes) {
      try {
        await mode.cleanup({ name: hostname(), addresses: [], podCidrs: [], serviceCidrs: [] });
      } catch (error) {
        isClean = false;
        report({
          type: "warning",
          text: `mode ${mode.name}: ${error instanceof Error ? error.message : String(error)}`,
        });
      }
    }
    if (!isClean) say("Rules of Services removed, as far as they could be");
  });
  return isClean;
}

function modeOf({ modes }: RunningProxies): string {
  const [mode] = modes.values();
  return mode?.name ?? "none";
}
