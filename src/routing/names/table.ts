import type { Because } from "../because.ts";

/**
 * The names of the cluster zone as the DNS specification (schema 1.1.0) builds them from Services, EndpointSlices,
 * Namespaces and Pods. Keys are lower case, absolute, without the final dot. Immutable; a change makes a diff.
 */
export interface NameTable {
  readonly zone: string;
  /** Every name with at least one record, and every branch node that must answer NODATA instead of NXDOMAIN. */
  readonly names: ReadonlyMap<string, NameEntry>;
  /** PTR names below `in-addr.arpa` and `ip6.arpa`. */
  readonly reverse: ReadonlyMap<string, NameEntry>;
  /** Seconds since the epoch of the last relevant change: the zone's SOA serial. */
  readonly serial: number;
  readonly revision: string;
}

export interface NameEntry {
  /** Dotted IPv4 addresses. */
  readonly a?: readonly string[];
  /** IPv6 addresses. */
  readonly aaaa?: readonly string[];
  readonly srv?: readonly SrvRecord[];
  readonly ptr?: readonly string[];
  /** ExternalName: where the name points; the server follows it. */
  readonly cname?: string;
  readonly txt?: readonly string[];
  /** Absent for branch nodes. */
  readonly because?: Because;
}

export interface SrvRecord {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Names to write (`undefined` removes one); the same shape for both maps. */
export interface NameDiff {
  readonly names: readonly (readonly [name: string, entry: NameEntry | undefined])[];
  readonly reverse: readonly (readonly [name: string, entry: NameEntry | undefined])[];
  readonly serial: number;
  readonly revision: string;
  /** Others follow, and only with the last of them the names are complete. */
  readonly more?: boolean;
}
