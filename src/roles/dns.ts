import { readFileSync } from "node:fs";
import { systemClock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import { createRemoteClient, type RemoteClient } from "#client/remote.ts";
import type { DnsConfig } from "#dns/config/contract.ts";
import { followConfig, type FollowedFile } from "#dns/config/follow-file.ts";
import { hasErrors, renderProblem } from "#dns/config/problem.ts";
import { readConfigFile } from "#dns/config/read.ts";
import type { DnsSettings, ListenAddress, RunningDns } from "#dns/contract.ts";
import { startDnsHttp, type RunningDnsHttp } from "#dns/http/start.ts";
import { startDns } from "#dns/start.ts";
import { checkAccess, connectionOf } from "./dns-connection.ts";
import { checkDnsFlags, type DnsRoleOptions } from "./dns-options.ts";
import { RoleError, step, type Report } from "./report.ts";
import { version } from "./version.ts";
import { workerUrl } from "./worker-url.ts";

export interface RunningDnsRole {
  readonly dns: RunningDns;
  readonly http: RunningDnsHttp;
  /** Says that it goes, answers on for the lameduck time, then stops. Aborting `now` ends the wait. */
  stop(report: Report, now?: AbortSignal): Promise<void>;
}

const selfService = { namespace: "kube-system", name: "kube-dns" };
const resolvConfPath = "/etc/resolv.conf";
const readFile = (path: string) => readFileSync(path, "utf8");

/**
 * Cluster DNS alone, for a cluster that somebody else runs: it reads the API by kubeconfig (or by its pod's account),
 * answers, and follows its configuration file. Resolves once it answers, which may be before all objects are read;
 * `/ready` tells when they are. Rejects with `RoleError`; whatever was started is stopped then.
 */
export async function startDnsRole(
  options: DnsRoleOptions,
  report: Report,
  { log, env }: { log: Log; env: Readonly<Record<string, string | undefined>> },
): Promise<RunningDnsRole> {
  const flags = checkDnsFlags(options);
  const config = options.config === undefined ? undefined : readConfig(options.config, report);
  const connection = connectionOf(options, env);
  const client = createRemoteClient(connection);
  const clusterDomain = flags.clusterDomain ?? config?.clusterDomain ?? "cluster.local";
  const listen = flags.listen.length > 0 ? flags.listen : (config?.listen ?? [{ address: "0.0.0.0", port: 53 }]);
  const stops: (() => Promise<void> | void)[] = [() => client.close()];
  try {
    const settings = config?.settings ?? {};
    const serviceAddresses = await step(report, "access", `Reading ${connection.server}`, () =>
      reachApi(client, connection.server, settings.pods === "verified", report),
    );
    const dns = await step(report, "dns", `DNS for ${clusterDomain}`, async (say) => {
      const running = await startAnswering({ client, listen, clusterDomain, settings, serviceAddresses, log });
      stops.unshift(() => running.stop());
      say(`DNS for ${clusterDomain} at ${running.addresses.map(renderAddress).join(", ")}`);
      return running;
    });
    const followed =
      options.config === undefined ? undefined : follow(options.config, dns, { clusterDomain, config }, report);
    if (followed !== undefined) stops.unshift(() => followed.stop());
    const http = await startHttp(dns, config, followed, report);
    stops.unshift(() => http.stop());
    return {
      dns,
      http,
      stop: (report, now) => stop({ http, lameduckMs: config?.http?.lameduckMs ?? 0, stops }, report, now),
    };
  } catch (error) {
    for (const stop of stops) await stop();
    throw error;
  }
}

function readConfig(path: string, report: Report): DnsConfig {
  let config: DnsConfig;
  try {
    config = readConfigFile(path, readFile);
  } catch (error) {
    throw new RoleError(`the configuration cannot be read: ${(error as Error).message}`);
  }
  const { problems } = config;
  const errors = problems.filter(({ severity }) => severity === "error");
  if (hasErrors(problems))
    throw new RoleError(errors.map(renderProblem).join("\n"), "docs/reference/dns.md lists what can be said");
  for (const problem of problems) report({ type: "warning", text: renderProblem(problem) });
  return config;
}

/** Addresses of the Service that others reach this server by: never asked as upstreams. */
async function reachApi(client: Client, server: string, withPods: boolean, report: Report): Promise<string[]> {
  const unreachable = await checkAccess(client, server, withPods);
  if (unreachable !== undefined) {
    report({ type: "warning", text: `${unreachable}; trying again, the cluster's names answer SERVFAIL until then` });
    return [];
  }
  // An account may be allowed to list and not to get; then nothing is known, which only the check for circles misses.
  const service = await client.get("Service", selfService).catch(() => undefined);
  return [...(service?.spec.clusterIPs ?? [])].filter((address) => address !== "None");
}

interface Answering {
  readonly client: RemoteClient;
  readonly listen: readonly ListenAddress[];
  readonly clusterDomain: string;
  readonly settings: DnsSettings;
  readonly serviceAddresses: readonly string[];
  readonly log: Log;
}

async function startAnswering({ settings, log, ...options }: Answering): Promise<RunningDns> {
  try {
    return await startDns({
      ...options,
      settings,
      // Names that no rule of the configuration takes go where this machine asks them.
      resolvConf: machineResolvConf(),
      selfService,
      log: log.child({ part: "dns" }),
      workerUrl: workerUrl("dns"),
    });
  } catch (error) {
    throw listenError(error, options.listen);
  }
}

function machineResolvConf(): string {
  try {
    return readFile(resolvConfPath);
  } catch {
    return "";
  }
}

function listenError(error: unknown, listen: readonly ListenAddress[]): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const where = listen.map(renderAddress).join(", ");
  switch (code) {
    case "EACCES":
      return new RoleError(
        `${where}: this user may not listen there`,
        "run as root, or take a higher port: --listen 127.0.0.1:5353",
      );
    case "EADDRINUSE":
      return new RoleError(
        `${where}: another program listens there (${message})`,
        "systemd-resolved holds 127.0.0.53:53 on many machines: name one address of this machine, e.g. --listen 127.0.0.1:5353",
      );
    case "EADDRNOTAVAIL":
      return new RoleError(`${where}: this machine does not have that address`, "name one of its own: ip address");
    default:
      return error as Error;
  }
}

/** Follows the configuration file. What only a start can change is told, and the rest is taken. */
function follow(
  path: string,
  dns: RunningDns,
  { clusterDomain, config }: { clusterDomain: string; config: DnsConfig | undefined },
  report: Report,
): FollowedFile {
  const fixed = ({ clusterDomain, listen, http }: DnsConfig) => JSON.stringify({ clusterDomain, listen, http });
  const before = config === undefined ? "" : fixed(config);
  return followConfig({
    readFile,
    read: (readFile) => readConfigFile(path, readFile),
    async changed(next) {
      await dns.configure(next.settings);
      dns.setUpstreams({ resolvConf: machineResolvConf() });
      report({ type: "notice", text: `${path} has changed and is in use` });
      if (fixed(next) !== before)
        report({
          type: "warning",
          text: `${path}: listen, http and the cluster domain (${clusterDomain}) change at the next start`,
        });
      for (const problem of next.problems) report({ type: "warning", text: renderProblem(problem) });
    },
    refused: (why) =>
      report({ type: "warning", text: `${path} has changed and cannot be used, the one before stays:\n${why}` }),
  });
}

async function startHttp(
  dns: RunningDns,
  config: DnsConfig | undefined,
  reloads: FollowedFile | undefined,
  report: Report,
): Promise<RunningDnsHttp> {
  const all = "0.0.0.0";
  const settings = config?.http ?? {
    health: { address: all, port: 8080 },
    ready: { address: all, port: 8181 },
    metrics: { address: all, port: 9153 },
  };
  try {
    const http = await startDnsHttp({
      dns,
      settings,
      version,
      clock: systemClock,
      ...(reloads === undefined ? {} : { reloads }),
    });
    for (const part of ["health", "ready", "metrics"] as const) {
      const at = http.addresses[part];
      if (at !== undefined) report({ type: "notice", text: `/${part} at http://${renderAddress(at)}/${part}` });
    }
    return http;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE" && code !== "EACCES" && code !== "EADDRNOTAVAIL") throw error;
    throw new RoleError(`a port of http cannot be opened: ${message}`, "choose others: http in the configuration file");
  }
}

async function stop(
  {
    http,
    lameduckMs,
    stops,
  }: { http: RunningDnsHttp; lameduckMs: number; stops: readonly (() => Promise<void> | void)[] },
  report: Report,
  now?: AbortSignal,
): Promise<void> {
  http.beginLameduck();
  if (lameduckMs > 0 && now?.aborted !== true) {
    report({ type: "notice", text: `Going: answers for ${lameduckMs / 1000} s more, until nobody asks` });
    await new Promise<void>((resolve) => {
      // Unlike the clock's timers, this one must keep the process alive.
      const timer = setTimeout(resolve, lameduckMs);
      now?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  await step(report, "stop", "DNS stopped", async () => {
    for (const stop of stops) await stop();
  });
}

function renderAddress({ address, port }: ListenAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
