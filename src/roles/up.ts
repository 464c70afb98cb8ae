import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { systemClock } from "#base/clock.ts";
import { freeMemoryOfStart } from "#base/free-memory.ts";
import type { DnsConfig } from "#dns/config/contract.ts";
import type { RunningDns } from "#dns/contract.ts";
import type { Client } from "#client/contract.ts";
import { renderKubeconfig } from "#client/kubeconfig.ts";
import { uplinkDevice } from "#node/network/plan.ts";
import { StoreError } from "#store/error.ts";
import { claimFolder } from "./claim.ts";
import { followDnsConfig, loadDnsConfig, startConfiguredHttp } from "./dns-config.ts";
import { loadIngressConfig } from "./ingress-config.ts";
import { undoHostLine } from "./host-resolver.ts";
import { startLocalAgent, type LocalAgent } from "./local-agent.ts";
import { openLog } from "./log.ts";
import { applyManifests, loadManifests } from "./manifests.ts";
import { checkOptions, type AddressPlan, type UpOptions } from "./options.ts";
import { installLine, installTools, missingTools, modeTools, outsideTools, upTools } from "./packages.ts";
import { choosePort, portProblem, portProblemText } from "./ports.ts";
import { missingCapabilities } from "./privileges.ts";
import { reachOf, type ReachFacts } from "./reach.ts";
import { RoleError, step, type Report } from "./report.ts";
import {
  joinNetwork,
  startApi,
  startClusterDns,
  startEntry,
  type RunningApi,
  type RunningEntry,
  type ServerParts,
} from "./server.ts";
import {
  clusterId,
  dataPaths,
  isAlive,
  processId,
  readState,
  writeState,
  type DataPaths,
  type RunState,
} from "./state.ts";
import { foreignFolder } from "./own-folder.ts";
import { endOnUnexpected } from "./unexpected.ts";
import { startUserspace, type RunningUserspace } from "./userspace.ts";
import { waitApplied, waitServed } from "./wait.ts";

export interface RunningUp {
  /** False when a manifest was refused or did not come to be served in time; the cluster runs all the same. */
  readonly clean: boolean;
  /** Stops everything; the objects stay on disk. */
  stop(report: Report): Promise<void>;
}

/**
 * Runs a whole cluster in this process and its agent. Rejects with `RoleError` when it cannot, and with the signal's
 * reason when it is interrupted; whatever was started is stopped then.
 */
export async function startUp(options: UpOptions, report: Report, signal: AbortSignal): Promise<RunningUp> {
  const begun = performance.now();
  const plan = planOf(options);
  const paths = dataPaths(options.dataDir);
  refuseSecondRun(paths);
  const claim = claimDataDir(paths);
  try {
    return await startClaimed(options, report, signal, { begun, plan, paths, claim });
  } catch (error) {
    claim.release();
    throw error;
  }
}

interface Claimed {
  readonly begun: number;
  readonly plan: AddressPlan;
  readonly paths: DataPaths;
  readonly claim: { release(): void };
}

async function startClaimed(
  options: UpOptions,
  report: Report,
  signal: AbortSignal,
  { begun, plan, paths, claim }: Claimed,
): Promise<RunningUp> {
  const { objects, problems } = loadManifests(options.manifests);
  for (const text of problems) report({ type: "error", text });
  const dnsConfig = loadDns(options, report);
  const ingressOptions = loadIngressConfig(options.ingressConfig, report);
  const withNodes = checkPrivileges(report);
  if (withNodes) await ensureTools(report, options);
  await ensureLoopbackPort(options.apiPort, "the API server", "--api-port");
  if (options.ingressHealthzPort !== 0)
    await ensureLoopbackPort(options.ingressHealthzPort, "Ingress's health", "--ingress-healthz-port");
  ensureAccessLog(options);
  const { httpPort, httpsPort } = await entryPorts(options, report);
  const state: RunState = {
    process: processId(process.pid),
    options,
    httpPort,
    httpsPort,
    withNodes,
    phase: "starting",
  };
  inDataDir(paths, () => writeState(paths, state));

  const parts: ServerParts = { options, plan, paths, log: openLog(paths.serverLog, "server") };
  const takeBack = endOnUnexpected(parts.log, (text) =>
    report({
      type: "error",
      text: `unexpected: ${text}`,
      next: `see ${paths.serverLog}; fairlead up goes on where it was`,
    }),
  );
  const stops: Stop[] = [];
  try {
    return await startParts();
  } catch (error) {
    await stopAll(stops, signal.aborted ? report : () => {});
    writeState(paths, { ...state, phase: "stopped" });
    takeBack();
    throw error instanceof StoreError ? new RoleError(error.message) : error;
  }

  async function startParts(): Promise<RunningUp> {
    // The agent needs most of its time for itself: it builds the network while this process starts the API.
    const agent = withNodes ? startLocalAgent(parts, clusterId(paths.root), report) : undefined;
    if (agent !== undefined)
      stops.push({ text: "Pods, rules and node namespaces removed", stop: () => agent.stop("remove") });
    const { etcd } = options;
    if (etcd !== undefined && existsSync(paths.store))
      report({ type: "notice", text: `the objects are those of etcd; ${paths.store} is left alone` });
    const api = await step(report, "api", `API server on https://127.0.0.1:${options.apiPort}`, () => startApi(parts));
    // The agent is a client of the API: it is stopped before.
    stops.unshift({ text: "API server stopped", stop: () => stopApi(api) });
    signal.throwIfAborted();
    writeKubeconfig(paths, api, options.apiPort);
    const { dns, entry, userspace } = await startEngines(api, agent);
    signal.throwIfAborted();
    const facts: ReachFacts = {
      plan,
      clusterDomain: options.clusterDomain,
      apiPort: options.apiPort,
      httpPort,
      httpsPort,
      kubeconfig: paths.kubeconfig,
      dns: withNodes ? plan.dnsServiceAddress : (dns.addresses[0]?.address ?? ""),
      ...(withNodes ? { uplink: uplinkDevice(clusterId(paths.root)) } : {}),
    };
    let clean = problems.length === 0;
    if (objects.length > 0) clean = (await applyAll(api.client)) && clean;
    const applied = { agent, dns, ingress: entry.ingress };
    if (options.wait === "served") clean = (await waitServed(api.client, applied, options, report, signal)) && clean;
    if (options.wait === "applied") clean = (await waitApplied(api.client, applied, options, report, signal)) && clean;
    signal.throwIfAborted();
    writeState(paths, { ...state, phase: "running" });
    if (userspace !== undefined) for (const text of userspace.notices()) report({ type: "notice", text });
    report({ type: "ready", reach: await reachOf(api.client, facts), ms: performance.now() - begun });
    freeMemoryOfStart(systemClock);
    return {
      clean,
      async stop(report) {
        const at = { dns: plan.dnsServiceAddress, clusterDomain: options.clusterDomain };
        for (const text of withNodes ? undoHostLine(at) : []) report({ type: "notice", text });
        await stopAll(stops, report);
        writeState(paths, { ...state, phase: "stopped" });
        claim.release();
        takeBack();
      },
    };
  }

  async function startEngines(api: RunningApi, agent: LocalAgent | undefined): Promise<Engines> {
    const dns = await step(report, "dns", `DNS for ${options.clusterDomain}`, () =>
      startClusterDns(parts, api.client, dnsConfig?.config.settings ?? {}),
    );
    stops.push({ text: "DNS stopped", stop: () => dns.stop() });
    if (dnsConfig !== undefined) await startConfigured(dns, dnsConfig);
    const text = `Ingress on port ${httpPort} and, with TLS, ${httpsPort}`;
    const publishAddress = withNodes ? plan.uplinkAddress : "127.0.0.1";
    const entry = await step(report, "ingress", text, () =>
      startEntry(parts, api.client, { httpPort, httpsPort, publishAddress, ingressOptions }),
    );
    stops.push({ text: "Ingress drained and stopped", stop: () => stopEntry(entry) });
    if (agent === undefined) {
      await dns.addListener("127.0.0.1", (await choosePort(10_053, 10_054))?.port ?? 0);
      const userspace = await startUserspace(parts, api.client);
      stops.push({ text: "Userspace proxy stopped", stop: () => userspace.stop() });
      return { dns, entry, userspace };
    }
    await step(
      report,
      "network",
      `Network of ${counted(options.nodes, "node")} (${options.nodeCidr})`,
      () => agent.network,
    );
    await joinNetwork(parts, api, dns);
    agent.connect(`https://127.0.0.1:${options.apiPort}`);
    await step(report, "nodes", "Nodes and service proxy", async (say) => {
      const { proxyMode } = await agent.running;
      say(`${counted(options.nodes, "node")}, service proxy in mode ${proxyMode}`);
    });
    return { dns, entry };
  }

  /** The HTTP face of DNS, off unless configured, and the following of its configuration. */
  async function startConfigured(dns: RunningDns, { path, config }: LoadedDns): Promise<void> {
    // Nobody may be looking when the file changes: the log tells it as well.
    const followed = followDnsConfig(path, dns, config, (event) => {
      if (event.type === "notice" || event.type === "warning") parts.log.warn({}, event.text);
      report(event);
    });
    stops.push({ text: "DNS configuration left", stop: async () => followed.stop() });
    const http = await startConfiguredHttp(dns, config.http ?? {}, followed, report);
    stops.push({ text: "Ports of DNS metrics closed", stop: () => http.stop() });
  }

  async function applyAll(client: Client): Promise<boolean> {
    return step(report, "apply", `Manifests`, async (say) => {
      const outcomes = await applyManifests(client, objects);
      const refused = outcomes.filter((outcome) => outcome.outcome === "refused");
      const done = outcomes.length - refused.length;
      say(`${counted(done, "object")} applied${refused.length === 0 ? "" : `, ${refused.length} refused`}`);
      for (const { where, object, message } of refused)
        report({ type: "error", text: `${where}: ${object}: ${message}` });
      return refused.length === 0;
    });
  }
}

interface LoadedDns {
  readonly path: string;
  readonly config: DnsConfig;
}

function loadDns({ dnsConfig: path, clusterDomain }: UpOptions, report: Report): LoadedDns | undefined {
  if (path === undefined) return undefined;
  const config = loadDnsConfig(path, report);
  if (config.clusterDomain !== undefined && config.clusterDomain !== clusterDomain) {
    throw new RoleError(
      `${path} says that the cluster domain is ${config.clusterDomain}, and this cluster has ${clusterDomain}`,
      `fairlead up --cluster-domain ${config.clusterDomain}, or another file`,
    );
  }
  return { path, config };
}

interface Engines {
  readonly dns: RunningDns;
  readonly entry: RunningEntry;
  readonly userspace?: RunningUserspace;
}

interface Stop {
  readonly text: string;
  stop(): Promise<void>;
}

/** Last started, first stopped. A part that cannot be stopped is told and does not keep the others running. */
async function stopAll(stops: readonly Stop[], report: Report): Promise<void> {
  for (const part of [...stops].reverse()) {
    const { text } = part;
    try {
      await step(report, "stop", text, () => part.stop());
    } catch (error) {
      report({ type: "warning", text: `${text}: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
}

async function stopApi({ api, stopDuties, store }: RunningApi): Promise<void> {
  await stopDuties();
  await api.stop();
  await store.close();
}

async function stopEntry({ dataplane, ingress, stopFailureLog, http, stopExporter }: RunningEntry): Promise<void> {
  http?.beginDrain();
  stopFailureLog();
  await ingress.stop();
  await dataplane.stop({ drainMs: 3000 });
  await stopExporter();
  await http?.stop();
}

function planOf(options: UpOptions): AddressPlan {
  const checked = checkOptions(options);
  if ("plan" in checked) return checked.plan;
  throw new RoleError(checked.problems.join("\n  "), "fairlead up --help lists the options and their defaults");
}

function refuseSecondRun(paths: DataPaths): void {
  const state = readState(paths);
  if (state === undefined || state.phase === "stopped" || !isAlive(state.process)) return;
  throw alreadyRuns(paths, ` (process ${state.process.pid})`);
}

function alreadyRuns(paths: DataPaths, who = ""): RoleError {
  return new RoleError(
    `a cluster already runs from ${paths.root}${who}`,
    "see it: fairlead status; stop it: fairlead down; or start another with --data-dir and its own ranges and ports",
  );
}

/** Of two that start at the same moment, one gets the folder. */
function claimDataDir(paths: DataPaths): { release(): void } {
  const caller = process.env["SUDO_UID"];
  const owners = [process.getuid?.(), caller === undefined ? undefined : Number(caller)];
  const problem = process.getuid === undefined ? undefined : foreignFolder(paths.root, owners);
  if (problem !== undefined) {
    throw new RoleError(
      `${paths.root} cannot be used: ${problem}`,
      "choose a folder of its own with --data-dir, or take it back with chown and chmod go-w",
    );
  }
  const claim = inDataDir(paths, () => claimFolder(paths.lock));
  if (claim === undefined) throw alreadyRuns(paths);
  return claim;
}

/** Whether nodes can run. Rejects when this is a root that lacks what they need: that is not what was meant. */
function checkPrivileges(report: Report): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    const text =
      "without root: API, controllers, DNS, Ingress and userspace proxying to addresses given by hand run; " +
      "nodes, pods and kernel rules need root on Linux";
    report({ type: "warning", text });
    return false;
  }
  const missing = missingCapabilities(readFileSync("/proc/self/status", "utf8"));
  if (missing.length === 0) return true;
  const names = missing.map(({ name, use }) => `${name} (${use})`).join(", ");
  throw new RoleError(
    `this root lacks ${names}`,
    "in a container, start it with --privileged; or run as an ordinary user, without nodes and pods",
  );
}

async function ensureTools(report: Report, { proxyMode, loadBalancerCidrs }: UpOptions): Promise<void> {
  const forAddresses = loadBalancerCidrs.length === 0 ? [] : outsideTools;
  const missing = missingTools([...upTools, ...(modeTools[proxyMode] ?? []), ...forAddresses]);
  if (missing.length === 0) return;
  const names = [...new Set(missing.map((tool) => tool.package))].join(" ");
  await step(report, "packages", `installing Debian packages: ${names}`, () => {
    const problem = installTools(missing);
    if (problem !== undefined) throw new RoleError(problem, `install them by hand: ${installLine(missing)}`);
    const still = missingTools(missing).map((tool) => `${tool.program} of package ${tool.package}`);
    if (still.length > 0)
      throw new RoleError(`still missing after installing: ${still.join(", ")}`, "see why it cannot be run");
  });
}

/** The first writes into the folder: what they fail with is told in words. */
function inDataDir<T>(paths: DataPaths, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const words: Record<string, string> = {
      ENOSPC: "the disk is full",
      EACCES: "it may not be written",
      EROFS: "it is read-only",
    };
    const why = words[code ?? ""] ?? (code || String(error));
    throw new RoleError(`${paths.root} cannot be used: ${why}`, "free it, or choose another folder with --data-dir");
  }
}

async function ensureLoopbackPort(port: number, what: string, flag: string): Promise<void> {
  const problem = await portProblem(port, "127.0.0.1");
  if (problem === undefined) return;
  throw new RoleError(`port ${port} of ${what} ${portProblemText(problem)}`, `choose another with ${flag}`);
}

function ensureAccessLog({ accessLog: path }: UpOptions): void {
  if (path === undefined || path === "-") return;
  try {
    closeSync(openSync(path, "a", 0o640));
  } catch (error) {
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    throw new RoleError(`the access log ${path} cannot be written: ${code}`, "choose another file with --access-log");
  }
}

async function entryPorts(options: UpOptions, report: Report): Promise<{ httpPort: number; httpsPort: number }> {
  const choose = async (flag: string, asked: number, standard: number, fallback: number): Promise<number> => {
    if (asked !== 0) {
      const problem = await portProblem(asked);
      if (problem === undefined) return asked;
      throw new RoleError(`port ${asked} ${portProblemText(problem)}`, `choose another with --${flag}`);
    }
    const chosen = await choosePort(standard, fallback);
    if (chosen === undefined) throw new RoleError(`no port from ${fallback} up is free`, `choose one with --${flag}`);
    if (chosen.taken !== undefined) {
      report({
        type: "notice",
        text: `port ${standard} ${portProblemText(chosen.taken)}: Ingress takes ${chosen.port}`,
      });
    }
    return chosen.port;
  };
  const httpPort = await choose("http-port", options.httpPort, 80, 8080);
  const httpsPort = await choose("https-port", options.httpsPort, 443, 8443);
  return { httpPort, httpsPort };
}

function writeKubeconfig(paths: DataPaths, { certificates }: RunningApi, port: number): void {
  const { ca, admin } = certificates;
  const text = renderKubeconfig({ server: `https://127.0.0.1:${port}`, ca, ...admin, name: "fairlead" });
  writeFileSync(paths.kubeconfig, text, { mode: 0o600 });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
