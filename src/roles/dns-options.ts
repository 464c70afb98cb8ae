import { parseAddressPort, parseDomain } from "#dns/config/addresses.ts";
import type { ListenAddress } from "#dns/contract.ts";
import { RoleError } from "./report.ts";

/** What `fairlead dns` runs with. */
export interface DnsRoleOptions {
  /** The account of the pod it runs in when left out. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** A configuration in YAML, or a Corefile. */
  readonly config?: string;
  /** `ADDRESS:PORT` each; what a configuration file says otherwise, and 0.0.0.0:53 without. */
  readonly listen?: readonly string[];
  readonly clusterDomain?: string;
}

/** The values of the flags, all that are wrong told at once. Throws `RoleError`. */
export function checkDnsFlags({ listen = [], clusterDomain }: DnsRoleOptions): {
  listen: ListenAddress[];
  clusterDomain?: string;
} {
  const problems: string[] = [];
  const addresses = listen.flatMap((text) => {
    const at = parseAddressPort(text, { port: 53, anyAddress: "0.0.0.0" });
    if (at === undefined) problems.push(`--listen: ${text} is not ADDRESS:PORT, e.g. 127.0.0.1:5353`);
    return at ?? [];
  });
  const domain = clusterDomain === undefined ? undefined : parseDomain(clusterDomain);
  if (clusterDomain !== undefined && (domain === undefined || domain === "."))
    problems.push(`--cluster-domain: ${clusterDomain} is not a domain name, e.g. cluster.local`);
  if (problems.length > 0) throw new RoleError(problems.join("\n"));
  return { listen: addresses, ...(domain === undefined ? {} : { clusterDomain: domain }) };
}
