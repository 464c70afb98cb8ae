import type { LedgerElement } from "../ledger.ts";

/** The named sets and maps of the table; see `layout.ts` for what each holds. */
export type SetName = FixedSetName | `endpoints-${string}`;

/** Those of the layout; the others come with a balancer each. */
export type FixedSetName =
  | "services"
  | "nodeports"
  | "shortcuts"
  | "nodeport-shortcuts"
  | "local-services"
  | "local-nodeports"
  | "affinity-slots"
  | "nodeport-affinity-slots"
  | "affinity-endpoints"
  | "nodeport-affinity-endpoints"
  | "affinity-valid"
  | "nodeport-affinity-valid"
  | "no-endpoint-services"
  | "no-endpoint-nodeports"
  | "cluster-ips"
  | "hairpin"
  | "firewalled"
  | "firewall-sources";

/** One element as nft writes it. Keys and values hold nothing but checked addresses, numbers and names made here. */
export type Element = LedgerElement<SetName>;
