import { RoleError } from "./report.ts";

/** What `fairlead ingress` runs with. Names as ingress-nginx has them, where it has them. */
export interface IngressRoleOptions {
  /** The account of the pod it runs in when left out. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Where `/healthz` and `/metrics` are, `ADDRESS:PORT`. */
  readonly healthz: string;
  /** The annotation `kubernetes.io/ingress.class` of our Ingresses. */
  readonly ingressClass: string;
  /** `spec.controller` of our IngressClasses; several may be ours. */
  readonly controllerClasses: readonly string[];
  readonly watchIngressWithoutClass: boolean;
  readonly watchNamespace?: string;
  /** `NAMESPACE/NAME` of the Service whose addresses stand in the status. */
  readonly publishService?: string;
  readonly publishStatusAddresses: readonly string[];
  readonly reportNodeInternalIpAddress: boolean;
  /** The Node that this is, for its addresses. */
  readonly nodeName?: string;
  readonly updateStatus: boolean;
  /** The Lease that decides which of several writes statuses, and its namespace. */
  readonly electionId: string;
  readonly electionNamespace: string;
  /** `NAMESPACE/NAME` of a Secret. */
  readonly defaultSslCertificate?: string;
  /** `NAMESPACE/NAME` of a ConfigMap with options, read at the start. */
  readonly configmap?: string;
  /** The same in a file. */
  readonly ingressConfig?: string;
  readonly tcpServicesConfigmap?: string;
  readonly udpServicesConfigmap?: string;
  readonly accessLog?: string;
  readonly accessLogFormat: "line" | "json";
  /** `UID:GID` of the process that serves. */
  readonly runAs: string;
  /** How long requests may go on when a process leaves. */
  readonly drainSeconds: number;
}

export interface CheckedIngress {
  readonly healthz: { readonly address: string; readonly port: number };
  readonly account: { readonly uid: number; readonly gid: number };
}

/** The values of the flags, all that are wrong told at once. Throws `RoleError`. */
export function checkIngressFlags(options: IngressRoleOptions): CheckedIngress {
  const problems: string[] = [];
  for (const [flag, port] of [
    ["http-port", options.httpPort],
    ["https-port", options.httpsPort],
  ] as const) {
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) problems.push(`--${flag}: ${port} is not a port`);
  }
  if (options.httpPort === options.httpsPort) problems.push("--http-port and --https-port are the same");
  const references = {
    "publish-service": options.publishService,
    "default-ssl-certificate": options.defaultSslCertificate,
    configmap: options.configmap,
    "tcp-services-configmap": options.tcpServicesConfigmap,
    "udp-services-configmap": options.udpServicesConfigmap,
  };
  for (const [flag, value] of Object.entries(references)) {
    if (value !== undefined && !/^[^/\s]+\/[^/\s]+$/.test(value)) {
      problems.push(`--${flag}: ${value} is not NAMESPACE/NAME`);
    }
  }
  if (options.configmap !== undefined && options.ingressConfig !== undefined) {
    problems.push("--configmap and --ingress-config both give the options: one of them is enough");
  }
  const at = /^(?:(?<address>[^:]*|\[[^\]]+\]):)?(?<port>\d{1,5})$/.exec(options.healthz)?.groups;
  if (at === undefined) problems.push(`--healthz: ${options.healthz} is not ADDRESS:PORT, e.g. 0.0.0.0:10254`);
  const ids = /^(\d+)(?::(\d+))?$/.exec(options.runAs);
  if (ids === null || ids[1] === "0") {
    problems.push(`--run-as: ${options.runAs} is not UID:GID of somebody else than root, e.g. 65532:65532`);
  }
  if (!(options.drainSeconds >= 0))
    problems.push(`--drain-timeout: ${options.drainSeconds} is not a number of seconds`);
  if (problems.length > 0) throw new RoleError(problems.join("\n"), "fairlead ingress --help lists the options");
  const uid = Number(ids?.[1]);
  const address = at?.["address"] ?? "";
  return {
    healthz: { address: address === "" ? "0.0.0.0" : address.replace(/^\[|\]$/g, ""), port: Number(at?.["port"]) },
    account: { uid, gid: Number(ids?.[2] ?? uid) },
  };
}
