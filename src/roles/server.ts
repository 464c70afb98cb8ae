import { createConnection } from "node:net";
import { availableParallelism } from "node:os";
import type { Duplex } from "node:stream";
import { formatCidr } from "#base/cidr.ts";
import { systemClock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { bootstrap } from "#apiserver/bootstrap.ts";
import { loadCertificates, type Certificates } from "#apiserver/certificates.ts";
import { startApiServer, type RunningApiServer } from "#apiserver/start.ts";
import { generatedName } from "#apiserver/registry/metadata.ts";
import { keyOf } from "#api/meta/object.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";
import { createIngressClassAdmission } from "#controllers/ingress-class/admission.ts";
import { createNodePortAllocator, type NodePortAllocator } from "#controllers/node-port/admission.ts";
import { createServiceAccountAdmission } from "#controllers/service-account/admission.ts";
import { startElection } from "#controllers/leader-election/elect.ts";
import { electionIdentity } from "#controllers/leader-election/identity.ts";
import { createServiceIpAllocator } from "#controllers/service-ip/allocator.ts";
import { startControllers } from "#controllers/start.ts";
import type { TracingOptions } from "#dataplane/running.ts";
import { defaultExport, startExporter } from "#dataplane/trace/exporter.ts";
import { startDataplane, type RunningDataplane } from "#dataplane/workers.ts";
import { startDns } from "#dns/start.ts";
import type { DnsSettings, RunningDns } from "#dns/contract.ts";
import { createDefaultCertificate } from "#ingress/certificate.ts";
import { edgeOptions } from "#ingress/edge.ts";
import { startIngressHttp, type RunningIngressHttp } from "#ingress/http/start.ts";
import { defaultOptions as defaultIngressOptions, type IngressOptions } from "#ingress/options.ts";
import type { RunningIngress } from "#ingress/running.ts";
import { uplinkAddress6 } from "#node/network/ipv6.ts";
import { startIngress } from "#ingress/start.ts";
import { poolsOfFlags } from "#loadbalancer/pool.ts";
import { nodeName } from "#node/network/plan.ts";
import { startLoadBalancer } from "#loadbalancer/start.ts";
import type { Store } from "#store/contract.ts";
import { ensureDnsService, ensureIngressClass, ensureLoadBalancerRoles, ensureProxyConfig } from "./cluster-objects.ts";
import { machineResolvConf } from "./dns-config.ts";
import { startFailureLog } from "./failure-log.ts";
import type { AddressPlan, TracingFlags, UpOptions } from "./options.ts";
import type { DataPaths } from "./state.ts";
import { openStore } from "./store.ts";
import { version } from "./version.ts";
import { workerUrl } from "./worker-url.ts";

/** The engines of the server process, started one by one so that each can be told as a step. */
export interface ServerParts {
  readonly options: UpOptions;
  readonly plan: AddressPlan;
  readonly paths: DataPaths;
  readonly log: Log;
}

export interface RunningApi {
  readonly store: Store;
  readonly certificates: Certificates;
  readonly api: RunningApiServer;
  /** As the cluster's own parts see the API. */
  readonly client: Client;
  /** Ends what keeps the objects true: allocators, controllers, and the provider of outside addresses. */
  readonly stopDuties: () => Promise<void>;
}

const controllerName = "fairlead.dev/ingress";

/** Opens the store and starts the API server on loopback, with the controllers behind it. */
export async function startApi({ options, plan, paths, log }: ServerParts): Promise<RunningApi> {
  const [store, certificates] = await Promise.all([
    openStore(options, paths),
    loadCertificates({
      directory: paths.certificates,
      clusterDomain: options.clusterDomain,
      serviceAddress: plan.apiServiceAddress,
      names: [plan.uplinkAddress],
      nodes: Array.from({ length: options.nodes }, (_, index) => nodeName(index + 1)),
    }),
  ]);
  const serviceIps = createServiceIpAllocator({
    families: plan.ipv6 === undefined ? ["IPv4"] : ["IPv4", "IPv6"],
    client: () => own,
    log: log.child({ part: "api" }),
    clock: systemClock,
  });
  const nodePorts = createNodePortAllocator({ range: plan.nodePorts });
  const ingressClass = createIngressClassAdmission({
    listClasses: async () => (await client.list("IngressClass")).items,
  });
  const serviceAccounts = createServiceAccountAdmission({
    client: () => client,
    clock: systemClock,
    nameSuffix: () => generatedName(""),
  });
  const api: RunningApiServer = await startApiServer({
    store,
    certificates,
    // Nobody may write before the allocators know what is taken.
    listen: [],
    anonymousAuth: options.anonymousAuth,
    admissions: [serviceAccounts, ingressClass, serviceIps, nodePorts],
    issuer: `https://kubernetes.default.svc.${options.clusterDomain}`,
    connectNode: () => connectSocket(paths.agentSocket),
    log: log.child({ part: "api" }),
  });
  const client: Client = api.localClient(system("controller-manager"));
  const own = ownClient(api);
  const services = await client.list("Service");
  const twice = new Set([...(await serviceIps.open()), ...nodePorts.seed(services.items)]);
  for (const service of twice)
    log.warn({ service: keyOf(service) }, "its address or node port belongs to another Service");
  const serviceCidrs = serviceRanges(plan);
  await bootstrap(own, { serviceCidrs, serviceAddress: plan.apiServiceAddress, apiEndpoints: [] });
  await api.addListener({ host: "127.0.0.1", port: options.apiPort });
  await ensureIngressClass(own, controllerName);
  const startDuties = async () => {
    const controllers = await startControllers({
      client,
      log: log.child({ part: "controllers" }),
      clock: systemClock,
      caBundle: certificates.ca,
      issueToken: (bound) => api.issueSecretToken(bound),
      serviceCidrs,
      nodePorts: { claims: api.registry.claims, range: plan.nodePorts },
    });
    const loadBalancer = startLoadBalancer({
      client,
      pools: poolsOfFlags(plan.loadBalancer),
      reserved: [plan.uplinkAddress],
      log: log.child({ part: "load-balancer" }),
    });
    return {
      async stop() {
        await loadBalancer.stop();
        await controllers.stop();
      },
    };
  };
  const duties = store.isShared ? elect(startDuties, { client, options, log }) : await startDuties();
  const forget = store.isShared ? followServices(client, nodePorts, log) : () => {};
  const stopDuties = async () => {
    forget();
    await duties.stop();
    serviceIps.stop();
  };
  return { store, certificates, api, client, stopDuties };
}

/** Of the servers of one store, one at a time does this. */
function elect(
  lead: () => Promise<{ stop(): Promise<void> }>,
  { client, options, log }: { client: Client; options: UpOptions; log: Log },
): { stop(): Promise<void> } {
  return startElection({
    client,
    name: "kube-controller-manager",
    identity: electionIdentity(),
    times: options.leaderElection,
    clock: systemClock,
    log: log.child({ part: "leader-election" }),
    lead,
  });
}

/** Which node ports other servers give out is known here soon after. */
function followServices(client: Client, nodePorts: NodePortAllocator, log: Log): () => void {
  const services = startInformer(client, "Service", { log: log.child({ part: "node-ports" }), clock: systemClock });
  services.onChange(({ before, after }) => nodePorts.follow(before, after));
  return () => services.stop();
}

/** For the objects that the server cannot be without: no webhook may keep it from starting. */
function ownClient(api: RunningApiServer): Client {
  return api.localClient(system("controller-manager"), { isOwn: true });
}

/** The ranges of the ServiceCIDR `kubernetes`. */
function serviceRanges({ service, ipv6 }: AddressPlan): string[] {
  return [formatCidr(service), ...(ipv6 === undefined ? [] : [formatCidr(ipv6.service)])];
}

function system(name: string): { name: string; groups: string[] } {
  return { name: `system:fairlead:${name}`, groups: ["system:masters", "system:authenticated"] };
}

function connectSocket(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Starts cluster DNS without a listener; `joinNetwork` or the caller opens one. */
export function startClusterDns(
  { options, plan, log }: ServerParts,
  client: Client,
  settings: DnsSettings,
): Promise<RunningDns> {
  return startDns({
    client,
    listen: [],
    clusterDomain: options.clusterDomain,
    settings,
    resolvConf: machineResolvConf(),
    serviceAddresses: [plan.dnsServiceAddress, plan.uplinkAddress],
    selfService: { namespace: "kube-system", name: "kube-dns" },
    log: log.child({ part: "dns" }),
    workerUrl: workerUrl("dns"),
  });
}

export interface RunningEntry {
  readonly dataplane: RunningDataplane;
  readonly ingress: RunningIngress;
  readonly stopFailureLog: () => void;
  readonly http: RunningIngressHttp | undefined;
  /** Sends the spans that wait. */
  readonly stopExporter: () => Promise<void>;
}

function startTracing(flags: TracingFlags, log: Log): { tracing: TracingOptions; stop(): Promise<void> } {
  const { collectorHost: host, collectorPort: port, serviceName, sampler, samplerRatio: ratio } = flags;
  const parts = { clock: systemClock, log: log.child({ part: "tracing" }), version };
  const exporter = startExporter({ ...defaultExport, host, port, serviceName }, parts);
  return {
    tracing: {
      sampling: { sampler, ratio, parentBased: true },
      export: (spans, dropped) => exporter.add(spans, dropped),
    },
    stop: () => exporter.stop(),
  };
}

export interface EntryParts {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Written into the status of Ingresses. */
  readonly publishAddress: string;
  /** What differs from the defaults for all Ingresses. */
  readonly ingressOptions: Partial<IngressOptions>;
}

/** Starts the HTTP data plane on its two ports and the Ingress controller that feeds it. */
export async function startEntry(
  { log, plan, options }: ServerParts,
  client: Client,
  { httpPort, httpsPort, publishAddress, ingressOptions }: EntryParts,
): Promise<RunningEntry> {
  const exporter = options.tracing === undefined ? undefined : startTracing(options.tracing, log);
  const edge = edgeOptions({ ...defaultIngressOptions, ...ingressOptions });
  const [dataplane, defaultCertificate] = await Promise.all([
    startDataplane({
      listeners: [
        { host: "0.0.0.0", port: httpPort, tls: false },
        { host: "0.0.0.0", port: httpsPort, tls: true },
        ...(plan.ipv6 === undefined
          ? []
          : [
              { host: "::", port: httpPort, tls: false },
              { host: "::", port: httpsPort, tls: true },
            ]),
      ],
      workers: Math.min(4, availableParallelism()),
      log: log.child({ part: "dataplane" }),
      clock: systemClock,
      workerUrl: workerUrl("http"),
      nameServers: [plan.uplinkAddress],
      ...edge,
      ...(options.accessLog === undefined
        ? {}
        : { accessLog: { path: options.accessLog, format: options.accessLogFormat } }),
      ...(exporter === undefined ? {} : { tracing: exporter.tracing }),
    }),
    createDefaultCertificate(),
  ]);
  const ingress = await startIngress({
    client,
    dataplane,
    defaultCertificate,
    publishAddresses: [
      publishAddress,
      ...(plan.ipv6 !== undefined && publishAddress === plan.uplinkAddress ? [uplinkAddress6(plan.ipv6)] : []),
    ],
    // A redirect to a port that is not the standard one has to name it.
    options: {
      usePortInRedirects: httpsPort !== 443,
      ...ingressOptions,
      ...(options.gzip ? { gzip: true } : {}),
      ...(exporter === undefined ? {} : { opentelemetry: true }),
      httpsPort,
    },
    streams: {
      ...(options.tcpServicesConfigMap === undefined ? {} : { tcpConfigMap: options.tcpServicesConfigMap }),
      ...(options.udpServicesConfigMap === undefined ? {} : { udpConfigMap: options.udpServicesConfigMap }),
      reserved: new Map([
        [httpPort, "the port of Ingress"],
        [httpsPort, "the port of Ingress with TLS"],
        [options.apiPort, "the port of the API server"],
      ]),
    },
    log: log.child({ part: "ingress" }),
    clock: systemClock,
  });
  await ingress.ready;
  const stopFailureLog = startFailureLog(dataplane, { log: log.child({ part: "requests" }), clock: systemClock });
  const http =
    options.ingressHealthzPort === 0
      ? undefined
      : await startIngressHttp({
          dataplane,
          ingress,
          version,
          controller: controllerName,
          address: "127.0.0.1",
          port: options.ingressHealthzPort,
        });
  const stopExporter = async () => exporter?.stop();
  return { dataplane, ingress, stopFailureLog, http, stopExporter };
}

/** The uplink has appeared: the API server and DNS answer there too, and their Services point to it. */
export async function joinNetwork({ options, plan }: ServerParts, { api }: RunningApi, dns: RunningDns): Promise<void> {
  const own = ownClient(api);
  const { uplinkAddress, apiServiceAddress, dnsServiceAddress } = plan;
  await Promise.all([
    api.addListener({ host: uplinkAddress, port: options.apiPort }),
    dns.addListener(uplinkAddress, 53),
    bootstrap(own, {
      serviceCidrs: serviceRanges(plan),
      serviceAddress: apiServiceAddress,
      apiEndpoints: [{ address: uplinkAddress, port: options.apiPort }],
    }),
    ensureDnsService(own, { serviceAddress: dnsServiceAddress, serverAddress: uplinkAddress }),
    ensureProxyConfig(own),
    ensureLoadBalancerRoles(own),
  ]);
}
