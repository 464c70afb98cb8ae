import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { parseSpan } from "#base/span.ts";
import {
  defaultDataDir,
  defaultOptions,
  defaultTracing,
  resolveDataDir,
  type TracingFlags,
  type UpOptions,
  type WaitFor,
} from "#roles/options.ts";
import type { IngressRoleOptions } from "#roles/ingress-options.ts";
import { version } from "#roles/version.ts";

/** A whole number of a flag; what else is wrong with it is told with all other problems at once. */
function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("a whole number is needed");
  return Number(text);
}

/** Milliseconds. */
function span(text: string): number {
  const ms = parseSpan(text);
  if (ms === undefined) throw new InvalidArgumentError("a time is needed, e.g. 15s");
  return ms;
}

function time(flags: string, description: string, standard: string): Option {
  return new Option(flags, description).argParser(span).default(span(standard), standard);
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function collectList(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(",").filter((part) => part !== "")];
}

/**
 * The command line. Each command's code is loaded when it runs, so that `version` or `--help` costs nothing of the
 * others. `exit` takes the exit code of the command that ran.
 */
export function createProgram(exit: (code: number) => void): Command {
  const dataDir = defaultDataDir(process.getuid?.() === 0, process.env);
  const program = new Command("fairlead")
    .description("Kubernetes Services and Ingress, whole, in one program.")
    .version(version, "-V, --version", "print the version")
    .exitOverride()
    .showHelpAfterError("(fairlead --help lists the commands)")
    .configureHelp({ sortOptions: false });
  const inDataDir = (command: Command) =>
    command.option("--data-dir <dir>", "where the cluster keeps its data", dataDir).exitOverride();

  inDataDir(program.command("up"))
    .description("start a cluster on this machine and apply manifests")
    .argument(
      "[file|dir...]",
      "manifests to apply: files, or folders whose *.yaml, *.yml and *.json are taken in order",
    )
    .option("--nodes <n>", "how many nodes", integer, defaultOptions.nodes)
    .addOption(
      new Option("--proxy-mode <mode>", "how Services are served on the nodes")
        .choices(["auto", "nftables", "iptables", "ipvs", "userspace"])
        .default(defaultOptions.proxyMode),
    )
    .option("--api-port <port>", "port of the API server", integer, defaultOptions.apiPort)
    .option("--http-port <port>", "port of Ingress (default: 80, or the next free from 8080)", integer)
    .option("--https-port <port>", "port of Ingress with TLS (default: 443, or the next free from 8443)", integer)
    .option(
      "--service-cidr <range>",
      "addresses of Services: a range of IPv4, or one of each family: 10.96.0.0/12,fd00:10:96::/108",
      defaultOptions.serviceCidr,
    )
    .option("--pod-cidr <range>", "addresses of pods; each node takes a /24, and of IPv6 a /64", defaultOptions.podCidr)
    .option("--node-cidr <range>", "addresses of nodes", defaultOptions.nodeCidr)
    .option(
      "--load-balancer-cidr <range>",
      "addresses for Services of type LoadBalancer; may be given several times (default: none)",
      collect,
    )
    .option("--service-node-port-range <range>", "ports of Services on the nodes", defaultOptions.serviceNodePortRange)
    .option("--cluster-domain <name>", "the zone of cluster DNS", defaultOptions.clusterDomain)
    .option("--etcd-servers <urls>", "keep the objects in this etcd: URLs, by commas or one a flag", collectList)
    .option("--etcd-cafile <file>", "whom to trust as etcd, in PEM (default: the well-known authorities)")
    .option("--etcd-certfile <file>", "the certificate to show to etcd, in PEM")
    .option("--etcd-keyfile <file>", "its key, in PEM")
    .addOption(
      time(
        "--leader-elect-lease-duration <time>",
        "how long a server that died keeps the controllers from others",
        "15s",
      ),
    )
    .addOption(
      time("--leader-elect-renew-deadline <time>", "how long a server that cannot renew goes on with them", "10s"),
    )
    .addOption(time("--leader-elect-retry-period <time>", "between two tries to renew or to take over", "2s"))
    .option("--encryption-provider-config <file>", "encrypt objects in the store, as this EncryptionConfiguration says")
    .option("--anonymous-auth", "requests without proof are those of system:anonymous, and not refused")
    .option("--dns-config <file>", "configuration of cluster DNS in YAML, or a Corefile; changes are taken at once")
    .option("--ingress-config <file>", "options of Ingress in YAML, or a ConfigMap of ingress-nginx")
    .option("--access-log <file>", "write a line for each request through Ingress; - is the standard output")
    .addOption(
      new Option("--access-log-format <format>", "a line as ingress-nginx writes it, or a JSON object a line")
        .choices(["line", "json"])
        .default(defaultOptions.accessLogFormat),
    )
    .option("--otlp-collector-host <host>", "tell this OpenTelemetry collector of the requests through Ingress")
    .option("--otlp-collector-port <port>", "its port for OTLP over HTTP", integer, defaultTracing.collectorPort)
    .option("--otel-service-name <name>", "what Ingress is called in traces", defaultTracing.serviceName)
    .addOption(
      new Option("--otel-sampler <sampler>", "which traces that begin at Ingress are told")
        .choices(["AlwaysOn", "AlwaysOff", "TraceIdRatioBased"])
        .default(defaultTracing.sampler),
    )
    .option("--otel-sampler-ratio <ratio>", "how many, from 0 to 1", Number, defaultTracing.samplerRatio)
    .option(
      "--ingress-healthz-port <port>",
      "tell on this port of loopback how Ingress is: /healthz, /metrics, /requests, /failures (default: off)",
      integer,
      defaultOptions.ingressHealthzPort,
    )
    .option("--gzip", "Ingress compresses answers for clients that take it")
    .option("--tcp-services-configmap <name>", "ports to serve as TCP, in this ConfigMap: NAMESPACE/NAME")
    .option("--udp-services-configmap <name>", "ports to serve as UDP, in this ConfigMap: NAMESPACE/NAME")
    .option("--detach", "return when the cluster is up; it goes on in the background")
    .addOption(
      new Option("--wait <state>", "wait until the manifests are served, applied, or not at all")
        .choices(["served", "applied", "none"])
        .default(defaultOptions.wait),
    )
    .option("--wait-timeout <seconds>", "give up waiting after this long", integer, defaultOptions.waitTimeoutSeconds)
    .option("--json", "one JSON object a line instead of text")
    .action(async (manifests: string[], flags: UpFlags) => {
      const { runUp } = await import("./commands/up.ts");
      exit(await runUp(upOptions(manifests, flags), { detach: flags.detach ?? false, json: flags.json ?? false }));
    });

  inDataDir(program.command("status"))
    .description("show whether the cluster runs and what can be reached")
    .option("--json", "JSON instead of text")
    .action(async (flags: { dataDir: string; json?: boolean }) => {
      const { runStatus } = await import("./commands/status.ts");
      exit(await runStatus(resolveDataDir(flags.dataDir), flags.json ?? false));
    });

  inDataDir(program.command("down"))
    .description("stop the cluster: pods, rules and namespaces go, the objects stay")
    .option("--purge", "remove the data as well, and check that nothing is left")
    .option("--json", "one JSON object a line instead of text")
    .action(async (flags: { dataDir: string; purge?: boolean; json?: boolean }) => {
      const { runDown } = await import("./commands/down.ts");
      exit(await runDown(resolveDataDir(flags.dataDir), { purge: flags.purge ?? false, json: flags.json ?? false }));
    });

  inDataDir(program.command("backup"))
    .description("write all objects of a cluster, running or stopped, into one file")
    .argument("<file>", "a new file; it holds the contents of Secrets")
    .option("--json", "one JSON object a line instead of text")
    .action(async (file: string, flags: { dataDir: string; json?: boolean }) => {
      const { runBackup } = await import("./commands/backup.ts");
      exit(await runBackup(resolveDataDir(flags.dataDir), resolve(file), { json: flags.json ?? false }));
    });

  inDataDir(program.command("restore"))
    .description("put the objects of a backup into a data folder")
    .argument("<file>", "what fairlead backup wrote")
    .option("--force", "in place of the cluster that is there: its objects are lost")
    .option("--json", "one JSON object a line instead of text")
    .action(async (file: string, flags: { dataDir: string; force?: boolean; json?: boolean }) => {
      const { runRestore } = await import("./commands/backup.ts");
      const how = { force: flags.force ?? false, json: flags.json ?? false };
      exit(await runRestore(resolveDataDir(flags.dataDir), resolve(file), how));
    });

  program
    .command("dns")
    .description("serve cluster DNS for a cluster that runs elsewhere")
    .option("--kubeconfig <file>", "how its API is reached (default: the account of the pod this runs in)")
    .option("--context <name>", "which context of the kubeconfig (default: the current one)")
    .option("--config <file>", "configuration in YAML, or a Corefile; changes to it are taken while it runs")
    .option("--listen <address>", "where to answer, ADDRESS:PORT; may be given several times", collect)
    .option("--cluster-domain <name>", "the zone of the cluster (default: cluster.local)")
    .option("--json", "one JSON object a line instead of text")
    .exitOverride()
    .action(async ({ json, ...options }: DnsFlags) => {
      const { runDns } = await import("./commands/dns.ts");
      exit(await runDns(options, json ?? false));
    });

  program
    .command("ingress")
    .description("serve the Ingresses of a cluster that runs elsewhere; SIGUSR2 starts anew what serves")
    .option("--kubeconfig <file>", "how its API is reached (default: the account of the pod this runs in)")
    .option("--context <name>", "which context of the kubeconfig (default: the current one)")
    .option("--http-port <port>", "where to serve HTTP", integer, 80)
    .option("--https-port <port>", "where to serve TLS", integer, 443)
    .option("--healthz <address>", "where /healthz and /metrics are, ADDRESS:PORT", "127.0.0.1:10254")
    .option("--ingress-class <name>", "the annotation kubernetes.io/ingress.class of our Ingresses", "fairlead")
    .option(
      "--controller-class <name>",
      "spec.controller of our IngressClasses; may be given several times (default: fairlead.dev/ingress)",
      collect,
    )
    .option("--watch-ingress-without-class", "Ingresses without any class are ours")
    .option("--watch-namespace <namespace>", "the one namespace to serve (default: all)")
    .option("--publish-service <name>", "write this Service's addresses into the status: NAMESPACE/NAME")
    .option("--publish-status-address <addresses>", "write these into the status, by commas or one a flag", collectList)
    .option("--report-node-internal-ip-address", "write the node's address inside the cluster into the status")
    .option("--node-name <node>", "the Node whose addresses are written (default: $NODE_NAME, or this host's name)")
    .option("--no-update-status", "write no status")
    .option("--election-id <name>", "the Lease of the one that writes the status", "fairlead-ingress-leader")
    .option("--election-namespace <namespace>", "where it is (default: $POD_NAMESPACE, or kube-system)")
    .option("--default-ssl-certificate <name>", "the Secret for hosts without their own: NAMESPACE/NAME")
    .option("--configmap <name>", "options of Ingress, read at the start: NAMESPACE/NAME")
    .option("--ingress-config <file>", "the same in a file")
    .option("--tcp-services-configmap <name>", "ports to serve as TCP, in this ConfigMap: NAMESPACE/NAME")
    .option("--udp-services-configmap <name>", "ports to serve as UDP, in this ConfigMap: NAMESPACE/NAME")
    .option("--access-log <file>", "write a line for each request; - is the standard output")
    .addOption(
      new Option("--access-log-format <format>", "a line as ingress-nginx writes it, or a JSON object a line")
        .choices(["line", "json"])
        .default(defaultOptions.accessLogFormat),
    )
    .option("--run-as <account>", "whom the process that serves runs as, when this one is root: UID:GID", "65532:65532")
    .option("--drain-timeout <seconds>", "how long requests may go on when a process leaves", integer, 240)
    .option("--json", "one JSON object a line instead of text")
    .exitOverride()
    .action(async ({ json, ...flags }: IngressFlags) => {
      const { runIngress } = await import("./commands/ingress.ts");
      exit(await runIngress(ingressOptions(flags), json ?? false));
    });

  program
    .command("proxy")
    .description("serve Services on this node of a cluster that runs elsewhere, in this network namespace")
    .option("--kubeconfig <file>", "how its API is reached (default: the account of the pod this runs in)")
    .option("--context <name>", "which context of the kubeconfig (default: the current one)")
    .option("--config <file>", "a KubeProxyConfiguration; changes to it are taken while it runs")
    .addOption(
      new Option("--proxy-mode <mode>", "how Services are served, where the configuration leaves it open")
        .choices(["auto", "nftables", "iptables", "ipvs", "userspace"])
        .default(defaultOptions.proxyMode),
    )
    .option("--hostname-override <node>", "which Node this is (default: the name of this host)")
    .option("--announce-on <interface>", "announce addresses of LoadBalancer Services to the neighbours there")
    .option("--cleanup", "remove the rules of every mode, and end")
    .option("--json", "one JSON object a line instead of text")
    .exitOverride()
    .action(async ({ json, ...options }: ProxyFlags) => {
      const { runProxy } = await import("./commands/proxy.ts");
      exit(await runProxy(options, json ?? false));
    });

  inDataDir(program.command("rules"))
    .description("print the rules by which a node serves Services, each with the objects it comes from")
    .argument("[file|dir...]", "manifests; without any, the Services of a running cluster")
    .addOption(
      new Option("--mode <mode>", "how Services are served")
        .choices(["nftables", "iptables", "ipvs", "all"])
        .default("all"),
    )
    .option("--node <name>", "whose rules (default: the first Node)")
    .option("--kubeconfig <file>", "which cluster (default: $KUBECONFIG, or the one in the data folder)")
    .option("--context <name>", "which context of the kubeconfig (default: the current one)")
    .option("--service-cidr <range>", "addresses of Services", defaultOptions.serviceCidr)
    .option("--pod-cidr <range>", "addresses of pods", defaultOptions.podCidr)
    .option("--live", "what stands on the node, with its counters; needs root")
    .option("--json", "one JSON object a line instead of text")
    .action(async (manifests: string[], { json, mode, dataDir, ...flags }: RulesFlags) => {
      const { runRules } = await import("./commands/rules.ts");
      const modes = mode === "all" ? (["nftables", "iptables", "ipvs"] as const) : [mode];
      exit(await runRules({ ...flags, manifests, modes, dataDir: resolveDataDir(dataDir) }, json ?? false));
    });

  inDataDir(program.command("kubeconfig"))
    .description("print the kubeconfig of the administrator")
    .action(async (flags: { dataDir: string }) => {
      const { runKubeconfig } = await import("./commands/kubeconfig.ts");
      exit(runKubeconfig(resolveDataDir(flags.dataDir)));
    });

  program
    .command("version")
    .description("print the version of Fairlead, Node and this platform")
    .option("--json", "JSON instead of text")
    .exitOverride()
    .action(async (flags: { json?: boolean }) => {
      const { runVersion } = await import("./commands/version.ts");
      runVersion(flags.json ?? false);
    });

  program
    .command("agent", { hidden: true })
    .description("the part of `up` that runs the nodes; started by it")
    .action(async () => {
      const { runAgent } = await import("#roles/agent.ts");
      await runAgent();
    });
  return program;
}

interface DnsFlags {
  kubeconfig?: string;
  context?: string;
  config?: string;
  listen?: string[];
  clusterDomain?: string;
  json?: boolean;
}

interface IngressFlags {
  kubeconfig?: string;
  context?: string;
  httpPort: number;
  httpsPort: number;
  healthz: string;
  ingressClass: string;
  controllerClass?: string[];
  watchIngressWithoutClass?: boolean;
  watchNamespace?: string;
  publishService?: string;
  publishStatusAddress?: string[];
  reportNodeInternalIpAddress?: boolean;
  nodeName?: string;
  updateStatus: boolean;
  electionId: string;
  electionNamespace?: string;
  defaultSslCertificate?: string;
  configmap?: string;
  ingressConfig?: string;
  tcpServicesConfigmap?: string;
  udpServicesConfigmap?: string;
  accessLog?: string;
  accessLogFormat: UpOptions["accessLogFormat"];
  runAs: string;
  drainTimeout: number;
  json?: boolean;
}

function ingressOptions({ accessLog, ...flags }: Omit<IngressFlags, "json">): IngressRoleOptions {
  return {
    ...flags,
    controllerClasses: flags.controllerClass ?? ["fairlead.dev/ingress"],
    watchIngressWithoutClass: flags.watchIngressWithoutClass ?? false,
    publishStatusAddresses: flags.publishStatusAddress ?? [],
    reportNodeInternalIpAddress: flags.reportNodeInternalIpAddress ?? false,
    electionNamespace: flags.electionNamespace ?? process.env["POD_NAMESPACE"] ?? "kube-system",
    drainSeconds: flags.drainTimeout,
    ...(accessLog === undefined ? {} : { accessLog: accessLog === "-" ? "-" : resolve(accessLog) }),
  };
}

interface ProxyFlags {
  kubeconfig?: string;
  context?: string;
  config?: string;
  proxyMode: UpOptions["proxyMode"];
  hostnameOverride?: string;
  announceOn?: string;
  cleanup?: boolean;
  json?: boolean;
}

interface RulesFlags {
  dataDir: string;
  mode: "nftables" | "iptables" | "ipvs" | "all";
  node?: string;
  kubeconfig?: string;
  context?: string;
  serviceCidr: string;
  podCidr: string;
  live?: boolean;
  json?: boolean;
}

interface UpFlags {
  dataDir: string;
  nodes: number;
  proxyMode: UpOptions["proxyMode"];
  apiPort: number;
  httpPort?: number;
  httpsPort?: number;
  serviceCidr: string;
  podCidr: string;
  nodeCidr: string;
  loadBalancerCidr?: string[];
  serviceNodePortRange: string;
  clusterDomain: string;
  etcdServers?: string[];
  etcdCafile?: string;
  etcdCertfile?: string;
  etcdKeyfile?: string;
  leaderElectLeaseDuration: number;
  leaderElectRenewDeadline: number;
  leaderElectRetryPeriod: number;
  encryptionProviderConfig?: string;
  anonymousAuth?: boolean;
  dnsConfig?: string;
  ingressConfig?: string;
  accessLog?: string;
  accessLogFormat: UpOptions["accessLogFormat"];
  otlpCollectorHost?: string;
  otlpCollectorPort: number;
  otelServiceName: string;
  otelSampler: TracingFlags["sampler"];
  otelSamplerRatio: number;
  ingressHealthzPort: number;
  gzip?: boolean;
  tcpServicesConfigmap?: string;
  udpServicesConfigmap?: string;
  detach?: boolean;
  wait: WaitFor;
  waitTimeout: number;
  json?: boolean;
}

function upOptions(manifests: string[], flags: UpFlags): UpOptions {
  return {
    manifests,
    nodes: flags.nodes,
    proxyMode: flags.proxyMode,
    dataDir: resolveDataDir(flags.dataDir),
    apiPort: flags.apiPort,
    httpPort: flags.httpPort ?? 0,
    httpsPort: flags.httpsPort ?? 0,
    serviceCidr: flags.serviceCidr,
    podCidr: flags.podCidr,
    nodeCidr: flags.nodeCidr,
    loadBalancerCidrs: flags.loadBalancerCidr ?? [],
    serviceNodePortRange: flags.serviceNodePortRange,
    clusterDomain: flags.clusterDomain,
    ...etcdFlags(flags),
    leaderElection: {
      leaseDuration: flags.leaderElectLeaseDuration,
      renewDeadline: flags.leaderElectRenewDeadline,
      retryPeriod: flags.leaderElectRetryPeriod,
    },
    ...(flags.encryptionProviderConfig === undefined
      ? {}
      : { encryptionConfig: resolveDataDir(flags.encryptionProviderConfig) }),
    anonymousAuth: flags.anonymousAuth ?? false,
    ...(flags.dnsConfig === undefined ? {} : { dnsConfig: resolveDataDir(flags.dnsConfig) }),
    ...(flags.ingressConfig === undefined ? {} : { ingressConfig: resolveDataDir(flags.ingressConfig) }),
    ...(flags.accessLog === undefined
      ? {}
      : { accessLog: flags.accessLog === "-" ? "-" : resolveDataDir(flags.accessLog) }),
    accessLogFormat: flags.accessLogFormat,
    ...tracingFlags(flags),
    ingressHealthzPort: flags.ingressHealthzPort,
    gzip: flags.gzip ?? false,
    ...(flags.tcpServicesConfigmap === undefined ? {} : { tcpServicesConfigMap: flags.tcpServicesConfigmap }),
    ...(flags.udpServicesConfigmap === undefined ? {} : { udpServicesConfigMap: flags.udpServicesConfigmap }),
    wait: flags.wait,
    waitTimeoutSeconds: flags.waitTimeout,
  };
}

function tracingFlags(flags: UpFlags): Pick<UpOptions, "tracing"> {
  if (flags.otlpCollectorHost === undefined) return {};
  return {
    tracing: {
      collectorHost: flags.otlpCollectorHost,
      collectorPort: flags.otlpCollectorPort,
      serviceName: flags.otelServiceName,
      sampler: flags.otelSampler,
      samplerRatio: flags.otelSamplerRatio,
    },
  };
}

function etcdFlags({ etcdServers, etcdCafile, etcdCertfile, etcdKeyfile }: UpFlags): Pick<UpOptions, "etcd"> {
  const files = { cafile: etcdCafile, certfile: etcdCertfile, keyfile: etcdKeyfile };
  const given = Object.entries(files).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, resolveDataDir(path)]],
  );
  if (etcdServers === undefined && given.length === 0) return {};
  return { etcd: { servers: etcdServers ?? [], ...Object.fromEntries(given) } };
}
