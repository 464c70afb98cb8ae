/** What the mode ipvs can be told; upstream's `ipvs` section of KubeProxyConfiguration. */
export interface IpvsSettings {
  /** A scheduler of ip_vs: `rr`, `lc`, `dh`, `sh`, `sed`, `nq`, `wrr`, `wlc`, `mh`, … */
  readonly scheduler?: string;
  /** Virtual servers with addresses inside are another program's and stay. */
  readonly excludeCidrs?: readonly string[];
  /** Answer ARP only for addresses of the interface that is asked, so that VIPs stay where they are announced. */
  readonly strictArp?: boolean;
  /** Seconds of idle TCP connections, of those after a FIN, and of UDP; 0 leaves the kernel's. */
  readonly tcpTimeoutSeconds?: number;
  readonly tcpFinTimeoutSeconds?: number;
  readonly udpTimeoutSeconds?: number;
}

/** What upstream uses when none is given. */
export const defaultScheduler = "rr";

/** The scheduler as it stands in a command. Throws when it is no name. */
export function schedulerOf({ scheduler = defaultScheduler }: IpvsSettings): string {
  const name = scheduler === "" ? defaultScheduler : scheduler;
  if (/^[a-z]{1,15}$/.test(name)) return name;
  throw new Error(`${JSON.stringify(scheduler)} is no scheduler of ip_vs; use rr, lc, dh, sh, sed, nq, wrr, wlc or mh`);
}
