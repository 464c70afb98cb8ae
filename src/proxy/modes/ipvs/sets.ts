import type { Family } from "#base/cidr.ts";

/** The sets of upstream's ipvs mode: their kind, and what their rules say they are for. */
export const sets = {
  "KUBE-LOOP-BACK": ["hash:ip,port,ip", "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose"],
  "KUBE-CLUSTER-IP": ["hash:ip,port", "Kubernetes service cluster ip + port for masquerade purpose"],
  "KUBE-EXTERNAL-IP": ["hash:ip,port", "Kubernetes service external ip + port for masquerade and filter purpose"],
  "KUBE-EXTERNAL-IP-LOCAL": ["hash:ip,port", "Kubernetes service external ip + port with externalTrafficPolicy=local"],
  "KUBE-LOAD-BALANCER": ["hash:ip,port", "Kubernetes service lb portal"],
  "KUBE-LOAD-BALANCER-LOCAL": [
    "hash:ip,port",
    "Kubernetes service load balancer ip + port with externalTrafficPolicy=local",
  ],
  "KUBE-LOAD-BALANCER-FW": [
    "hash:ip,port",
    "Kubernetes service load balancer ip + port for load balancer with sourceRange",
  ],
  "KUBE-LOAD-BALANCER-SOURCE-IP": [
    "hash:ip,port,ip",
    "Kubernetes service load balancer ip + port + source IP for packet filter purpose",
  ],
  "KUBE-LOAD-BALANCER-SOURCE-CIDR": [
    "hash:ip,port,net",
    "Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
  ],
  "KUBE-NODE-PORT-TCP": ["bitmap:port", "Kubernetes nodeport TCP port for masquerade purpose"],
  "KUBE-NODE-PORT-LOCAL-TCP": ["bitmap:port", "Kubernetes nodeport TCP port with externalTrafficPolicy=local"],
  "KUBE-NODE-PORT-UDP": ["bitmap:port", "Kubernetes nodeport UDP port for masquerade purpose"],
  "KUBE-NODE-PORT-LOCAL-UDP": ["bitmap:port", "Kubernetes nodeport UDP port with externalTrafficPolicy=local"],
  "KUBE-NODE-PORT-SCTP-HASH": [
    "hash:ip,port",
    "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
  ],
  "KUBE-NODE-PORT-LOCAL-SCTP-HASH": [
    "hash:ip,port",
    "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
  ],
  "KUBE-HEALTH-CHECK-NODE-PORT": ["bitmap:port", "Kubernetes health check node port"],
  "KUBE-IPVS-IPS": ["hash:ip", "Kubernetes service addresses of ipvs"],
} as const satisfies Record<string, readonly [kind: string, purpose: string]>;

export type SetName = keyof typeof sets;

/** The longest name that the kernel takes. */
const nameLimit = 31;

/** What a set is called in the kernel: those of IPv6 stand beside those of IPv4 (upstream `ipset.go`). */
export function kernelName(name: SetName, family: Family): string {
  return family === 4 ? name : name.replace("KUBE-", "KUBE-6-").slice(0, nameLimit);
}

/** The commands of `ipset restore` that make the sets that are not there. */
export function renderSets(family: Family = 4): string[] {
  const inet = family === 6 ? "inet6" : "inet";
  return Object.entries(sets).map(([name, [kind]]) => {
    // The size is upstream's; a table of ten thousand Services has room.
    const rest = kind === "bitmap:port" ? "range 0-65535" : `family ${inet} hashsize 1024 maxelem 65536`;
    return `create ${kernelName(name as SetName, family)} ${kind} ${rest}`;
  });
}
