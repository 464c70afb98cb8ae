import type { ProxyModeName } from "../mode.ts";
import type { Place } from "../http/open.ts";

/** Times of one mode's section; what is left out is the mode's own default. */
export interface SyncTimes {
  /** Milliseconds. 0 stands for the default. */
  readonly syncPeriod?: number;
  /** Milliseconds. 0: a change is put in force at once. */
  readonly minSyncPeriod?: number;
}

/** Spans are milliseconds; 0 leaves what the kernel has. */
export interface IpvsFields {
  /** Empty for upstream's own, `rr`. */
  readonly scheduler?: string;
  readonly excludeCIDRs?: readonly string[];
  readonly strictARP?: boolean;
  readonly tcpTimeout?: number;
  readonly tcpFinTimeout?: number;
  readonly udpTimeout?: number;
}

/** Spans are milliseconds. What is left out, and 0, leaves what the kernel has. */
export interface ConntrackFields {
  readonly maxPerCore?: number;
  readonly min?: number;
  readonly tcpEstablishedTimeout?: number;
  readonly tcpCloseWaitTimeout?: number;
  readonly tcpBeLiberal?: boolean;
  readonly udpTimeout?: number;
  readonly udpStreamTimeout?: number;
}

export type DetectLocalMode = "ClusterCIDR" | "NodeCIDR" | "BridgeInterface" | "InterfaceNamePrefix";

/**
 * What a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) says of what has an effect here. What it does not say
 * is left out; spans are milliseconds.
 */
export interface ProxyConfig {
  /** Left out for the blank, which chooses the best. */
  readonly mode?: ProxyModeName;
  readonly hostnameOverride?: string;
  readonly clientConnection?: { readonly kubeconfig?: string };
  readonly healthzBindAddress?: Place;
  readonly metricsBindAddress?: Place;
  /** One range, or one of each family. */
  readonly clusterCIDR?: readonly string[];
  readonly detectLocalMode?: DetectLocalMode;
  readonly detectLocal?: { readonly bridgeInterface?: string; readonly interfaceNamePrefix?: string };
  /** Ranges, or `primary` alone: the addresses of the Node object. */
  readonly nodePortAddresses?: readonly string[];
  readonly conntrack?: ConntrackFields;
  readonly iptables?: SyncTimes & { readonly masqueradeAll?: boolean };
  readonly nftables?: SyncTimes & { readonly masqueradeAll?: boolean };
  readonly ipvs?: SyncTimes & IpvsFields;
}

export const configApiVersion = "kubeproxy.config.k8s.io/v1alpha1";
export const configKind = "KubeProxyConfiguration";
/** Upstream's sync period. */
export const standardSyncMs = 30_000;
