import { freeMemory } from "#base/free-memory.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import { createRemoteClient, type RemoteClient } from "#client/remote.ts";
import type { HttpSettings } from "#dns/config/contract.ts";
import type { DnsSettings, ListenAddress, RunningDns } from "#dns/contract.ts";
import type { RunningDnsHttp } from "#dns/http/start.ts";
import { startDns } from "#dns/start.ts";
import { trimForNames } from "#routing/names/trim.ts";
import { followDnsConfig, loadDnsConfig, machineResolvConf, renderAddress, startConfiguredHttp } from "./dns-config.ts";
import { checkAccess, connectionOf } from "./connection.ts";
import { checkDnsFlags, type DnsRoleOptions } from "./dns-options.ts";
import { RoleError, step, type Report } from "./report.ts";
import { workerUrl } from "./worker-url.ts";

export interface RunningDnsRole {
  readonly dns: RunningDns;
  readonly http: RunningDnsHttp;
  /** Says that it goes, answers on for the lameduck time, then stops. Aborting `now` ends the wait. */
  stop(report: Report, now?: AbortSignal): Promise<void>;
}

const selfService = { namespace: "kube-system", name: "kube-dns" };
/** CoreDNS's ports. */
const usualHttp: HttpSettings = {
  health: { address: "0.0.0.0", port: 8080 },
  ready: { address: "0.0.0.0", port: 8181 },
  metrics: { address: "0.0.0.0", port: 9153 },
};

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
  const { config: path } = options;
  const file = path === undefined ? undefined : { path, config: loadDnsConfig(path, report) };
  const config = file?.config;
  const connection = connectionOf({ ...options, command: "dns" }, env);
  const client = createRemoteClient({ ...connection, trim: trimForNames, onPage: everyFew(freeMemory) });
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
      // The first of all revisions: everything has been read and answers show it.
      running
        .waitFor("1")
        .then(freeMemory)
        .catch((error: unknown) => log.debug({ error: String(error) }, "memory"));
      say(`DNS for ${clusterDomain} at ${running.addresses.map(renderAddress).join(", ")}`);
      return running;
    });
    const followed = file === undefined ? undefined : followDnsConfig(file.path, dns, file.config, report);
    if (followed !== undefined) stops.unshift(() => followed.stop());
    const http = await startConfiguredHttp(dns, config?.http ?? usualHttp, followed, report);
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

/** Giving memory back takes as long as reading a page does. */
const fewTimes = 2;

function everyFew(act: () => Promise<void>): () => Promise<void> {
  let times = 0;
  return async () => {
    times += 1;
    if (times % fewTimes === 0) await act();
  };
}

/** Addresses of the Service that others reach this server by: never asked as upstreams. */
async function reachApi(client: Client, server: string, withPods: boolean, report: Report): Promise<string[]> {
  const unreachable = await checkAccess(client, server, {
    kinds: ["Namespace", "Service", "EndpointSlice", ...(withPods ? (["Pod"] as const) : [])],
    what: "what DNS answers for",
    rights: "get, list and watch of namespaces, services, pods and endpointslices.discovery.k8s.io",
  });
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
      // A heap that is left alone while it reads grows to several times what stays.
      onParts: everyFew(freeMemory),
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
