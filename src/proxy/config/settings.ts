import type { Faces } from "../http/node-face.ts";
import type { ProxyModeName } from "../mode.ts";
import type { IpvsSettings } from "../modes/ipvs/settings.ts";
import { standardSyncMs, type ConntrackFields, type IpvsFields, type ProxyConfig } from "./kind.ts";

/** What the proxies of a process are run with. */
export interface ProxySettings {
  /** `auto` takes the best mode that works on the node. */
  readonly mode: ProxyModeName | "auto";
  /** At least this long between two changes of the rules. */
  readonly minSyncMs: number;
  /** A change that waits for twice as long makes the proxy unhealthy. */
  readonly syncMs: number;
  /** Sources inside are pods; `node`: the ranges that the Node object names. Left out: as whoever started it says. */
  readonly podCidrs?: readonly string[] | "node";
  /** Pods are known by the interface that their traffic comes in by; with `+` behind it, by how its name begins. */
  readonly podInterface?: string;
  readonly masqueradeAll?: boolean;
  /** Ranges in which node ports are served; `primary`: the addresses of the Node object. */
  readonly nodePortAddresses?: readonly string[] | "primary";
  readonly conntrack?: ConntrackFields;
  readonly faces: Faces;
  /** What the mode ipvs is told. */
  readonly ipvs?: IpvsSettings;
}

/** Upstream's ports. */
export const standardFaces: Required<Faces> = {
  healthz: { address: "0.0.0.0", port: 10_256 },
  metrics: { address: "127.0.0.1", port: 10_249 },
};

const leastSyncMs = 1;

/** What a configuration asks for; `mode` is what stands where it leaves the choice open. Pure. */
export function settingsOf(config: ProxyConfig, mode: ProxySettings["mode"]): ProxySettings {
  const chosen = config.mode ?? mode;
  // Upstream has one section for each mode; the best mode here is nftables.
  const times = chosen === "userspace" ? {} : config[chosen === "auto" ? "nftables" : chosen];
  const podCidrs = config.detectLocalMode === "NodeCIDR" ? ("node" as const) : config.clusterCIDR;
  // Upstream has no such field of ipvs: the one of iptables counts.
  const { masqueradeAll = false } = {
    ...(chosen === "nftables" || chosen === "auto" ? config.nftables : config.iptables),
  };
  const { nodePortAddresses = [], conntrack } = config;
  const podInterface = interfaceOf(config);
  const { healthzBindAddress: healthz, metricsBindAddress: metrics } = config;
  return {
    mode: chosen,
    minSyncMs: Math.max(leastSyncMs, times?.minSyncPeriod ?? 0),
    syncMs: times?.syncPeriod || standardSyncMs,
    ...(podCidrs === undefined ? {} : { podCidrs }),
    ...(podInterface === undefined ? {} : { podInterface }),
    ...(masqueradeAll ? { masqueradeAll } : {}),
    ...(nodePortAddresses.length === 0
      ? {}
      : { nodePortAddresses: nodePortAddresses[0] === "primary" ? ("primary" as const) : nodePortAddresses }),
    ...(conntrack === undefined ? {} : { conntrack }),
    faces: { healthz: healthz ?? standardFaces.healthz, metrics: metrics ?? standardFaces.metrics },
    ...(config.ipvs === undefined ? {} : { ipvs: ipvsOf(config.ipvs) }),
  };
}

function interfaceOf({ detectLocalMode, detectLocal = {} }: ProxyConfig): string | undefined {
  if (detectLocalMode === "BridgeInterface") return detectLocal.bridgeInterface;
  if (detectLocalMode === "InterfaceNamePrefix") return `${detectLocal.interfaceNamePrefix ?? ""}+`;
  return undefined;
}

/** A part of a second is a whole one: 0 would leave the kernel's own. */
function ipvsOf(fields: IpvsFields): IpvsSettings {
  const seconds = (span = 0) => Math.ceil(span / 1000);
  return {
    scheduler: fields.scheduler ?? "",
    excludeCidrs: fields.excludeCIDRs ?? [],
    strictArp: fields.strictARP ?? false,
    tcpTimeoutSeconds: seconds(fields.tcpTimeout),
    tcpFinTimeoutSeconds: seconds(fields.tcpFinTimeout),
    udpTimeoutSeconds: seconds(fields.udpTimeout),
  };
}
