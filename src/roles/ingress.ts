import { chownSync, closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import { systemClock } from "#base/clock.ts";
import { freeMemory } from "#base/free-memory.ts";
import type { Log } from "#base/log.ts";
import { parseKey } from "#api/meta/object.ts";
import { createRemoteClient, type RemoteClient } from "#client/remote.ts";
import { startElection } from "#controllers/leader-election/elect.ts";
import { electionIdentity } from "#controllers/leader-election/identity.ts";
import { ProcessError, startDataplaneProcess, type DataplaneProcess } from "#dataplane/process/start.ts";
import { ListenError, type ListenerSpec } from "#dataplane/running.ts";
import { createDefaultCertificate } from "#ingress/certificate.ts";
import { controllerName } from "#ingress/class.ts";
import { edgeOptions } from "#ingress/edge.ts";
import { startIngressHttp, type RunningIngressHttp } from "#ingress/http/start.ts";
import { defaultOptions, type IngressOptions } from "#ingress/options.ts";
import { followPublished } from "#ingress/publish.ts";
import type { RunningIngress } from "#ingress/running.ts";
import { startIngress } from "#ingress/start.ts";
import { checkAccess, connectionOf } from "./connection.ts";
import { startFailureLog } from "./failure-log.ts";
import { followCertificate } from "./ingress-certificate.ts";
import { loadIngressConfig, optionsOfConfigMap } from "./ingress-config.ts";
import { checkIngressFlags, type CheckedIngress, type IngressRoleOptions } from "./ingress-options.ts";
import { RoleError, step, type Report } from "./report.ts";
import { version } from "./version.ts";
import { dataplaneProgram, workerUrl } from "./worker-url.ts";

export interface RunningIngressRole {
  readonly dataplane: DataplaneProcess;
  /** Starts what serves anew, from the program as it is on disk now; what is open goes on at the one before. */
  restart(report: Report): Promise<void>;
  /** Takes no more connections, lets what is under way end, and stops. Aborting `now` ends the wait. */
  stop(report: Report, now?: AbortSignal): Promise<void>;
}

/**
 * Ingress alone, for a cluster that somebody else runs. This process reads the API; what serves is a process of its own,
 * which gets tables and nothing else, and has no right but that to its ports. Resolves when the first whole table is
 * served. Rejects with `RoleError`; whatever was started is stopped then.
 */
export async function startIngressRole(
  options: IngressRoleOptions,
  report: Report,
  { log, env }: { log: Log; env: Readonly<Record<string, string | undefined>> },
): Promise<RunningIngressRole> {
  const checked = checkIngressFlags(options);
  const connection = connectionOf({ ...options, command: "ingress" }, env);
  const client = createRemoteClient(connection);
  const stops: (() => Promise<void> | void)[] = [() => client.close()];
  const drainMs = options.drainSeconds * 1000;
  try {
    await step(report, "access", `Reading ${connection.server}`, () =>
      reachApi(client, connection.server, options, report),
    );
    const config = await configOf(options, client, report);
    const { dataplane, ingress } = await step(report, "ingress", "Ingress", async (say) => {
      const running = await startServing({ options, checked, client, config, log }, stops);
      say(`Ingress on port ${options.httpPort} and, with TLS, ${options.httpsPort}`);
      return running;
    });
    stops.unshift(startStatus(options, { client, ingress, log, env }));
    stops.unshift(startFailureLog(dataplane, { log: log.child({ part: "requests" }), clock: systemClock }));
    const http = await startHttp(checked, dataplane, ingress);
    stops.unshift(() => http.stop());
    report({ type: "notice", text: `/healthz and /metrics at ${checked.healthz.address}:${http.port}` });
    void freeMemory();
    return {
      dataplane,
      restart: (to) =>
        step(to, "restart", "Ingress starts anew", async (say) => {
          moveWaiting(to);
          await dataplane.restart(drainMs);
          say(`Ingress serves from process ${dataplane.pid()}; the one before ends with its last request`);
        }),
      async stop(to, now) {
        http.beginDrain();
        await step(to, "stop", "Ingress drained and stopped", async () => {
          await ingress.stop();
          await Promise.race([dataplane.stop({ drainMs }), aborted(now).then(() => dataplane.stop({ drainMs: 0 }))]);
          for (const stop of stops) await stop();
        });
      },
    };
  } catch (error) {
    for (const stop of stops) await stop();
    throw error;
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener("abort", () => resolve());
  });
}

async function reachApi(
  client: RemoteClient,
  server: string,
  { watchNamespace: namespace }: IngressRoleOptions,
  report: Report,
): Promise<void> {
  const unreachable = await checkAccess(client, server, {
    kinds: ["Ingress", "Service", "EndpointSlice"],
    ...(namespace === undefined ? {} : { namespace }),
    what: "what Ingress serves",
    rights: "the ClusterRole of examples/ingress/rbac.yaml",
  });
  if (unreachable === undefined) return;
  report({ type: "warning", text: `${unreachable}; trying again, nothing is served until then` });
}

async function configOf(
  { ingressConfig, configmap }: IngressRoleOptions,
  client: RemoteClient,
  report: Report,
): Promise<Partial<IngressOptions>> {
  if (configmap === undefined) return loadIngressConfig(ingressConfig, report);
  const object = await client.get("ConfigMap", parseKey(configmap));
  if (object === undefined)
    throw new RoleError(`there is no ConfigMap ${configmap}`, "create it, or leave out --configmap");
  return optionsOfConfigMap(object, configmap, report);
}

interface Serving {
  readonly options: IngressRoleOptions;
  readonly checked: CheckedIngress;
  readonly client: RemoteClient;
  readonly config: Partial<IngressOptions>;
  readonly log: Log;
}

async function startServing(
  { options, checked, client, config, log }: Serving,
  stops: (() => Promise<void> | void)[],
): Promise<{ dataplane: DataplaneProcess; ingress: RunningIngress }> {
  const { account } = checked;
  const edge = edgeOptions({ ...defaultOptions, ...config });
  const accessLog = accessLogOf(options, account);
  const [dataplane, defaultCertificate] = await Promise.all([
    startDataplaneProcess({
      listeners: listenersOf(options),
      workers: Math.min(4, availableParallelism()),
      program: dataplaneProgram(),
      workerUrl: workerUrl("http"),
      account,
      log: log.child({ part: "dataplane" }),
      clock: systemClock,
      ...edge,
      ...(accessLog === undefined ? {} : { accessLog }),
    }).catch((error: unknown) => {
      throw startError(error, options);
    }),
    createDefaultCertificate(),
  ]);
  stops.unshift(() => dataplane.stop({ drainMs: 0 }));
  const { watchNamespace, tcpServicesConfigmap, udpServicesConfigmap } = options;
  const ingress = await startIngress({
    client,
    dataplane,
    defaultCertificate,
    controllers: options.controllerClasses,
    classes: [options.ingressClass],
    watchWithoutClass: options.watchIngressWithoutClass,
    ...(watchNamespace === undefined ? {} : { namespace: watchNamespace }),
    options: { usePortInRedirects: options.httpsPort !== 443, ...config, httpsPort: options.httpsPort },
    streams: {
      ...(tcpServicesConfigmap === undefined ? {} : { tcpConfigMap: tcpServicesConfigmap }),
      ...(udpServicesConfigmap === undefined ? {} : { udpConfigMap: udpServicesConfigmap }),
      reserved: new Map([
        [options.httpPort, "the port of Ingress"],
        [options.httpsPort, "the port of Ingress with TLS"],
        [checked.healthz.port, "the port of Ingress's health"],
      ]),
    },
    log: log.child({ part: "ingress" }),
    clock: systemClock,
  });
  stops.unshift(() => ingress.stop());
  if (options.defaultSslCertificate !== undefined) {
    const parts = { client, dataplane, id: defaultCertificate.id, log: log.child({ part: "ingress" }) };
    stops.unshift(followCertificate(options.defaultSslCertificate, parts));
  }
  await ingress.ready;
  return { dataplane, ingress };
}

/** Every address of IPv4, and of IPv6 where this machine speaks it. */
function listenersOf({ httpPort, httpsPort }: IngressRoleOptions): ListenerSpec[] {
  return ["0.0.0.0", ...(speaksIPv6() ? ["::"] : [])].flatMap((host) => [
    { host, port: httpPort, tls: false },
    { host, port: httpsPort, tls: true },
  ]);
}

function speaksIPv6(): boolean {
  try {
    return readFileSync("/proc/net/if_inet6", "utf8") !== "";
  } catch {
    return false;
  }
}

/** The file is there, and belongs to whoever writes into it. */
function accessLogOf(
  { accessLog: path, accessLogFormat: format }: IngressRoleOptions,
  { uid, gid }: CheckedIngress["account"],
): { path: string; format: "line" | "json" } | undefined {
  if (path === undefined) return undefined;
  try {
    if (path !== "-") {
      closeSync(openSync(path, "a", 0o640));
      if (process.getuid?.() === 0) chownSync(path, uid, gid);
    }
    return { path, format };
  } catch (error) {
    throw new RoleError(`the access log cannot be written: ${(error as Error).message}`);
  }
}

function startError(error: unknown, { runAs }: IngressRoleOptions): unknown {
  if (error instanceof ListenError) {
    const { host, port } = error.listener;
    if (error.code !== "EACCES") return new RoleError(error.message, "--http-port and --https-port choose others");
    return new RoleError(
      `${host}:${port}: this user may not listen there`,
      "run as root (what serves gives up all rights but that to ports), or take ports from 1024 up: --http-port 8080 --https-port 8443",
    );
  }
  if (!(error instanceof ProcessError)) return error;
  return new RoleError(
    error.message,
    `what serves runs as ${runAs} and has to be able to read ${process.execPath} and ${dataplaneProgram().pathname}; --run-as names another account`,
  );
}

/** One of several writes statuses: who leads. Returns how to stop. */
function startStatus(
  options: IngressRoleOptions,
  {
    client,
    ingress,
    log,
    env,
  }: { client: RemoteClient; ingress: RunningIngress; log: Log; env: Readonly<Record<string, string | undefined>> },
): () => Promise<void> | void {
  if (!options.updateStatus) return () => {};
  const { publishService: service, publishStatusAddresses: addresses } = options;
  const rules = {
    addresses,
    node: options.nodeName ?? env["NODE_NAME"] ?? hostname(),
    internalAddress: options.reportNodeInternalIpAddress,
    ...(service === undefined ? {} : { service }),
  };
  const parts = { client, log: log.child({ part: "status" }), clock: systemClock };
  const election = startElection({
    ...parts,
    name: options.electionId,
    namespace: options.electionNamespace,
    identity: electionIdentity(),
    lead() {
      const stop = followPublished(rules, (found) => ingress.publish(found), parts);
      return Promise.resolve({
        stop() {
          stop();
          ingress.publish([]);
          return Promise.resolve();
        },
      });
    },
  });
  return () => election.stop();
}

async function startHttp(
  { healthz: { address, port } }: CheckedIngress,
  dataplane: DataplaneProcess,
  ingress: RunningIngress,
): Promise<RunningIngressHttp> {
  try {
    return await startIngressHttp({ dataplane, ingress, version, controller: controllerName, address, port });
  } catch (error) {
    throw new RoleError(`${address}:${port}: ${(error as Error).message}`, "choose another with --healthz");
  }
}

/** Linux 5.14: connections that wait at a socket that closes move to another one of its port. */
const migrate = "/proc/sys/net/ipv4/tcp_migrate_req";

/** Sees to it that no connection is lost that nobody has taken yet when a process leaves. */
function moveWaiting(report: Report): void {
  try {
    if (readFileSync(migrate, "utf8").trim() === "1") return;
    writeFileSync(migrate, "1\n");
  } catch (error) {
    report({
      type: "warning",
      text:
        `net.ipv4.tcp_migrate_req is off and cannot be turned on (${(error as NodeJS.ErrnoException).code}): ` +
        "a client that connects in the moment of the change may be reset, and has to connect again",
    });
  }
}
