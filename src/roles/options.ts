import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { addressAt, cidrSize, cidrsOverlap, formatAddress, formatCidr, parseCidr, type Cidr } from "#base/cidr.ts";
import { defaultElectionTimes, electionProblem, type ElectionTimes } from "#controllers/leader-election/times.ts";
import { defaultNodeSubnet6, splitRanges } from "#node/network/ipv6.ts";

/** How far `up` waits before it says that it is done. */
export type WaitFor = "served" | "applied" | "none";

export type ProxyModeOption = "nftables" | "iptables" | "ipvs" | "userspace" | "auto";

/** What `fairlead up` runs with; everything has a default. */
export interface UpOptions {
  readonly manifests: readonly string[];
  readonly nodes: number;
  readonly proxyMode: ProxyModeOption;
  readonly dataDir: string;
  readonly apiPort: number;
  /** 0: 80, or the next free of 8080 and up. */
  readonly httpPort: number;
  /** 0: 443, or the next free of 8443 and up. */
  readonly httpsPort: number;
  /** One range of IPv4, or one of each family with a comma between; so are the next two. */
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly nodeCidr: string;
  /** Where Services of type LoadBalancer get their addresses from, besides what the ConfigMap names. */
  readonly loadBalancerCidrs: readonly string[];
  /** Where node ports come from: `FIRST-LAST`. */
  readonly serviceNodePortRange: string;
  readonly clusterDomain: string;
  /** Where the objects are kept; in the data folder, when absent. */
  readonly etcd?: EtcdFlags;
  /** How servers of one etcd agree on which of them runs the controllers. */
  readonly leaderElection: ElectionTimes;
  /** An EncryptionConfiguration: which objects are encrypted in the store, and how. */
  readonly encryptionConfig?: string;
  /** Requests without proof are those of `system:anonymous`, and not refused. */
  readonly anonymousAuth: boolean;
  /** A configuration of cluster DNS: YAML, or a Corefile. */
  readonly dnsConfig?: string;
  /** Where requests through Ingress are written down: a file, or `-` for the standard output. */
  readonly accessLog?: string;
  readonly accessLogFormat: "line" | "json";
  /** Where the spans of requests through Ingress go; without, requests are not traced unless an Ingress says so. */
  readonly tracing?: TracingFlags;
  /** Where Ingress tells how it is, on loopback: `/healthz`, `/metrics` and more; 0 for nowhere. */
  readonly ingressHealthzPort: number;
  /** Options of Ingress: YAML, or a ConfigMap of ingress-nginx. */
  readonly ingressConfig?: string;
  /** Ingress compresses answers. */
  readonly gzip: boolean;
  /** ConfigMaps that map ports to Services past HTTP: `namespace/name`. */
  readonly tcpServicesConfigMap?: string;
  readonly udpServicesConfigMap?: string;
  readonly wait: WaitFor;
  readonly waitTimeoutSeconds: number;
}

/** The flags `--etcd-…`, which are upstream's. */
export interface EtcdFlags {
  readonly servers: readonly string[];
  /** Files in PEM. */
  readonly cafile?: string;
  readonly certfile?: string;
  readonly keyfile?: string;
}

/** The flags `--otlp-…` and `--otel-…`, named as ingress-nginx's options. */
export interface TracingFlags {
  readonly collectorHost: string;
  readonly collectorPort: number;
  readonly serviceName: string;
  readonly sampler: "AlwaysOn" | "AlwaysOff" | "TraceIdRatioBased";
  /** From 0 to 1. */
  readonly samplerRatio: number;
}

export const defaultTracing: Omit<TracingFlags, "collectorHost"> = {
  collectorPort: 4318,
  serviceName: "nginx",
  sampler: "AlwaysOn",
  samplerRatio: 0.01,
};

export const defaultOptions: Omit<UpOptions, "dataDir"> = {
  manifests: [],
  nodes: 3,
  proxyMode: "auto",
  apiPort: 6443,
  httpPort: 0,
  httpsPort: 0,
  serviceCidr: "10.96.0.0/12",
  podCidr: "10.244.0.0/16",
  nodeCidr: "172.30.0.0/24",
  loadBalancerCidrs: [],
  serviceNodePortRange: "30000-32767",
  clusterDomain: "cluster.local",
  leaderElection: defaultElectionTimes,
  anonymousAuth: false,
  accessLogFormat: "line",
  ingressHealthzPort: 0,
  gzip: false,
  wait: "served",
  waitTimeoutSeconds: 60,
};

/** `/var/lib/fairlead` for root, the user's data folder otherwise (XDG base directory specification). */
export function defaultDataDir(isRoot: boolean, env: Readonly<Record<string, string | undefined>>): string {
  if (isRoot) return "/var/lib/fairlead";
  return join(env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share"), "fairlead");
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** `30000-32767`, `30000+2767` or one port, as upstream's `--service-node-port-range` (apimachinery `port_range.go`). */
export function parsePortRange(text: string): PortRange | undefined {
  const [, from = "", sign, to] = /^(\d{1,5})(?:([-+])(\d{1,5}))?$/.exec(text) ?? [];
  const first = Number(from);
  const last = sign === undefined ? first : sign === "-" ? Number(to) : first + Number(to);
  return first >= 1 && first <= last && last <= 65_535 ? { first, last } : undefined;
}

/** The addresses that follow from the ranges. */
export interface AddressPlan {
  readonly service: Cidr;
  readonly pod: Cidr;
  readonly node: Cidr;
  readonly loadBalancer: readonly Cidr[];
  /** The ranges of IPv6 in a cluster of both families. */
  readonly ipv6: { readonly service: Cidr; readonly pod: Cidr; readonly node: Cidr } | undefined;
  readonly nodePorts: PortRange;
  /** The `kubernetes` Service: the first address of the range. */
  readonly apiServiceAddress: string;
  /** Cluster DNS: the tenth address of the range. */
  readonly dnsServiceAddress: string;
  /** The host's own address on the node network: the last usable one. */
  readonly uplinkAddress: string;
}

/** One line a problem: which flag, what is wrong, what to do. */
export function checkOptions(options: UpOptions): { plan: AddressPlan } | { problems: string[] } {
  const problems: string[] = [];
  const port = (flag: string, value: number, lowest: number) => {
    if (!Number.isInteger(value) || value < lowest || value > 65535) {
      problems.push(`--${flag}: must be a port between 1 and 65535, not ${value}`);
    }
  };
  port("api-port", options.apiPort, 1);
  port("http-port", options.httpPort, 0);
  port("https-port", options.httpsPort, 0);
  port("ingress-healthz-port", options.ingressHealthzPort, 0);
  port("otlp-collector-port", options.tracing?.collectorPort ?? defaultTracing.collectorPort, 1);
  const ratio = options.tracing?.samplerRatio ?? 0;
  if (!(ratio >= 0 && ratio <= 1)) problems.push(`--otel-sampler-ratio: must be from 0 to 1, not ${ratio}`);
  if (!Number.isInteger(options.nodes) || options.nodes < 1 || options.nodes > 16) {
    problems.push(`--nodes: must be between 1 and 16, not ${options.nodes}`);
  }
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(options.clusterDomain)) {
    problems.push(`--cluster-domain: ${options.clusterDomain} is not a domain name, e.g. cluster.local`);
  }
  problems.push(...etcdProblems(options.etcd));
  const election = electionProblem(options.leaderElection);
  if (election !== undefined)
    problems.push(`--leader-elect-lease-duration, -renew-deadline, -retry-period: ${election}`);
  problems.push(...configMapProblems(options));
  const range = (flag: string, whole: string, longest: number): Cidr | undefined => {
    const text = splitRanges(whole).ipv4;
    if (text === "") {
      problems.push(`--${flag}: ${whole} has no IPv4 range; put one before it, e.g. 10.96.0.0/12,${whole}`);
      return undefined;
    }
    const cidr = parseCidr(text);
    if (cidr === undefined || cidr.family !== 4) {
      problems.push(`--${flag}: ${text} is not an IPv4 range, e.g. 10.96.0.0/12`);
      return undefined;
    }
    if (cidr.prefix > longest) {
      problems.push(`--${flag}: ${text} is too small; /${longest} or wider is needed`);
      return undefined;
    }
    return cidr;
  };
  const service = range("service-cidr", options.serviceCidr, 27);
  const pod = range("pod-cidr", options.podCidr, 24 - Math.ceil(Math.log2(options.nodes + 1)));
  const node = range("node-cidr", options.nodeCidr, 24);
  const loadBalancer = options.loadBalancerCidrs.flatMap((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) problems.push(`--load-balancer-cidr: ${text} is not a range, e.g. 172.31.0.0/24`);
    return cidr ?? [];
  });
  problems.push(...overlaps({ "service-cidr": service, "pod-cidr": pod, "node-cidr": node }));
  // Outside addresses may lie among the nodes'; those that nodes have are not given away.
  for (const outside of loadBalancer) {
    problems.push(...overlaps({ "load-balancer-cidr": outside, "service-cidr": service, "pod-cidr": pod }, outside));
  }
  for (const [index, outside] of loadBalancer.entries()) {
    const twice = loadBalancer.slice(0, index).find((other) => cidrsOverlap(other, outside));
    if (twice !== undefined)
      problems.push(`--load-balancer-cidr: ${formatCidr(outside)} overlaps ${formatCidr(twice)}`);
  }
  const second = service && pod && node ? checkIPv6(options, problems) : undefined;
  const nodePorts = parsePortRange(options.serviceNodePortRange);
  if (nodePorts === undefined) {
    problems.push(
      `--service-node-port-range: ${options.serviceNodePortRange} is not a range of ports, e.g. 30000-32767`,
    );
  }
  if (problems.length > 0 || !nodePorts || !service || !pod || !node) return { problems };
  const at = (cidr: Cidr, offset: number | bigint) => formatAddress(addressAt(cidr, offset));
  return {
    plan: {
      service,
      pod,
      node,
      loadBalancer,
      ipv6: second,
      nodePorts,
      apiServiceAddress: at(service, 1),
      dnsServiceAddress: at(service, 10),
      uplinkAddress: at(node, cidrSize(node) - 2n),
    },
  };
}

/** The ranges of IPv6, which go together: of a cluster with none there is nothing to say. */
function checkIPv6(options: UpOptions, problems: string[]): AddressPlan["ipv6"] {
  const before = problems.length;
  const texts = {
    "service-cidr": splitRanges(options.serviceCidr).ipv6,
    "pod-cidr": splitRanges(options.podCidr).ipv6,
    "node-cidr": splitRanges(options.nodeCidr).ipv6,
  };
  if (Object.values(texts).every((text) => text === undefined)) return undefined;
  const range = (flag: keyof typeof texts, longest: number, example: string, standard?: string) => {
    const text = texts[flag] ?? standard;
    const cidr = parseCidr(text ?? "");
    if (text === undefined)
      problems.push(`--${flag}: needs a range of IPv6 as well, as the others have, e.g. ${example}`);
    else if (cidr === undefined || cidr.family !== 6)
      problems.push(`--${flag}: ${text} is not an IPv6 range, e.g. ${example}`);
    else if (cidr.prefix > longest) problems.push(`--${flag}: ${text} is too small; /${longest} or wider is needed`);
    return cidr;
  };
  const service = range("service-cidr", 120, "10.96.0.0/12,fd00:10:96::/108");
  const pod = range("pod-cidr", 115, "10.244.0.0/16,fd00:10:244::/48");
  const node = range("node-cidr", 120, "172.30.0.0/24,fd00:172:30::/64", defaultNodeSubnet6);
  problems.push(...overlaps({ "service-cidr": service, "pod-cidr": pod, "node-cidr": node }));
  // Upstream's limit: more than 2^20 addresses of Services make no sense, and it keeps maps of them.
  if (service !== undefined && service.prefix < 108) {
    problems.push(`--service-cidr: ${texts["service-cidr"]} is too large; /108 or narrower is needed`);
  }
  if (problems.length > before || !service || !pod || !node) return undefined;
  return { service, pod, node };
}

function etcdProblems(etcd: EtcdFlags | undefined): string[] {
  if (etcd === undefined) return [];
  const { servers, cafile, certfile, keyfile } = etcd;
  const problems = servers
    .filter((server) => !isEtcdUrl(server))
    .map((server) => `--etcd-servers: ${server} is not http:// or https://, a host and a port: https://10.0.0.1:2379`);
  const files = { "etcd-cafile": cafile, "etcd-certfile": certfile, "etcd-keyfile": keyfile };
  for (const [flag, file] of Object.entries(files)) {
    if (file === undefined) continue;
    if (servers.length === 0) problems.push(`--${flag}: has no use without --etcd-servers`);
    else if (!servers.every((server) => server.startsWith("https:")))
      problems.push(`--${flag}: the servers of --etcd-servers must all be https:// then`);
  }
  if ((certfile === undefined) !== (keyfile === undefined))
    problems.push("--etcd-certfile and --etcd-keyfile go together: a certificate and its key");
  if (new Set(servers.map((server) => server.split(":")[0])).size > 1 && problems.length === 0)
    problems.push("--etcd-servers: either all are http:// or all are https://");
  return problems;
}

function configMapProblems({ tcpServicesConfigMap, udpServicesConfigMap }: UpOptions): string[] {
  const flags = { "tcp-services-configmap": tcpServicesConfigMap, "udp-services-configmap": udpServicesConfigMap };
  return Object.entries(flags).flatMap(([flag, key]) =>
    key === undefined || /^[-.a-z0-9]+\/[-.a-z0-9]+$/.test(key)
      ? []
      : [`--${flag}: ${key} is not namespace/name, e.g. default/${flag.slice(0, 12)}`],
  );
}

function isEtcdUrl(text: string): boolean {
  return /^https?:\/\/[^/@?#\s]+:\d+$/.test(text) && URL.canParse(text);
}

/** Which of these overlap; with `of`, only what overlaps that one. */
function overlaps(ranges: Readonly<Record<string, Cidr | undefined>>, of?: Cidr): string[] {
  const entries = Object.entries(ranges);
  return entries.flatMap(([name, range], index) =>
    entries
      .slice(index + 1)
      .filter(() => of === undefined || range === of)
      .filter(([, other]) => range !== undefined && other !== undefined && cidrsOverlap(range, other))
      .map(([other]) => `--${name} and --${other} overlap`),
  );
}

export function resolveDataDir(path: string): string {
  return resolve(path);
}
