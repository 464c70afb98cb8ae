import type { Family } from "#base/cidr.ts";
import type { Problem } from "#routing/because.ts";
import type { ServiceDiff } from "#routing/l4/table.ts";
import type { RunCommand } from "./command.ts";
import type { IpvsSettings } from "./modes/ipvs/settings.ts";

/**
 * What every proxy mode implements: make the table true on one node, and nothing else. A mode gets the difference to
 * what it applied last; the first call brings everything as `added`. `test/e2e/proxy/` runs one suite of real traffic on
 * each mode.
 */
export interface ProxyMode {
  readonly name: ProxyModeName;
  /**
   * Makes the change true, all of it in as few kernel transactions as the mode can. When it rejects, what was applied
   * before stays in force and the same change is offered again, merged with what has come since; after a `RefusedError`
   * without the service port that it names.
   */
  apply(diff: ServiceDiff): Promise<ApplyReport>;
  /** Stops talking to the kernel. Rules stay: traffic goes on when only the program ends. */
  stop(): Promise<void>;
  /** Removes every rule this mode ever made on this node; safe to call when there are none. */
  cleanup(): Promise<void>;
  /** Whether what was applied still stands, in modes where another program can change it; asked now and then. */
  isIntact?(): Promise<boolean>;
  /** What was found changed when it did not stand any more, in words for an Event. */
  damage?(): string;
  /** In modes that serve at places of their own: which, in the order of the service ports' ids. */
  addresses?(): readonly ServedAddress[];
  /** What of the applied table could not be served, when single service ports can fail in this mode. */
  problems?(): readonly Problem[];
}

/**
 * A change was refused for one service port of it, which the mode has put back to what it was. All others have nothing to
 * do with it: they can be applied without it.
 */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  /** `ServicePortEntry.id` */
  readonly id: string;
  constructor(id: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.id = id;
  }
}

/** Where a service port is reached while nothing in the kernel leads its cluster IP there. */
export interface ServedAddress {
  /** `ServicePortEntry.id`. */
  readonly id: string;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  /** `service` stands in for the cluster IP, `nodePort` is the node port itself. */
  readonly by: "service" | "nodePort";
}

export type ProxyModeName = "nftables" | "iptables" | "ipvs" | "userspace";

export interface ApplyReport {
  /** The revision of the API that is now in force on this node. */
  readonly revision: string;
  /** How many single changes went to the kernel. */
  readonly changes: number;
  readonly ms: number;
}

/** What a mode needs to know about the node it works on. */
export interface ProxyNode {
  readonly name: string;
  /** The family that is served, 4 when left out; addresses and ranges of the other one are not among those below. */
  readonly family?: Family;
  /** The path of the node's network namespace, or `undefined` to work in the one this process is in. */
  readonly netns?: string;
  /** The namespace was made for this run: it is as all others that were, and no earlier run left anything in it. */
  readonly isNew?: boolean;
  /** Addresses that node ports are served on, besides every other local address where the mode can. */
  readonly addresses: readonly string[];
  readonly zone?: string;
  /** Sources inside are pods: their traffic to cluster IPs keeps its source address. */
  readonly podCidrs: readonly string[];
  /** In the mode nftables an address inside that no service has is dropped, an unknown port of a known one refused. */
  readonly serviceCidrs: readonly string[];
  /** How programs are run there; left out, they are. */
  readonly run?: RunCommand;
  /**
   * What comes in by this interface is pods' traffic, and not what `podCidrs` say; with `+` behind it all interfaces whose
   * names begin so.
   */
  readonly podInterface?: string;
  /** Traffic to cluster IPs always takes the node's source address, that of pods too. */
  readonly masqueradeAll?: boolean;
  /** Node ports are served at the node's addresses in these ranges only. */
  readonly nodePortRanges?: readonly string[];
  /** For the mode ipvs alone. */
  readonly ipvs?: IpvsSettings;
}
