import type { PodSpec } from "#api/core/pod/kind.ts";

/** The name a pod calls itself: `spec.hostname` or its own, 63 characters at most, no dash or dot at the end. */
export function hostnameOf(name: string, spec: PodSpec): string {
  return (spec.hostname ?? name).slice(0, 63).replace(/[-.]+$/, "");
}

export interface HostsInput {
  readonly name: string;
  readonly namespace: string;
  readonly spec: PodSpec;
  readonly clusterDomain: string;
  /** One, or one of each family. */
  readonly addresses: readonly string[];
  /** The machine's own file, which pods in the node's network see instead. */
  readonly hostFile: string;
}

/** A pod's /etc/hosts in the layout of the kubelet (`ensureHostsFile`). Pure. */
export function renderHosts({ name, namespace, spec, clusterDomain, addresses, hostFile }: HostsInput): string {
  const aliases = (spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}\n`).join("");
  const added = aliases === "" ? "" : `\n# Entries added by HostAliases.\n${aliases}`;
  if (spec.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${hostFile}${added}`;
  const hostname = hostnameOf(name, spec);
  const full = spec.subdomain ? `${hostname}.${spec.subdomain}.${namespace}.svc.${clusterDomain}\t` : "";
  return [
    "# Kubernetes-managed hosts file.",
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "fe00::0\tip6-mcastprefix",
    "fe00::1\tip6-allnodes",
    "fe00::2\tip6-allrouters",
    ...addresses.map((address) => `${address}\t${full}${hostname}`),
    added,
  ].join("\n");
}
