import type { Loser } from "../because.ts";
import type { Pointer } from "./service.ts";
import type { NameEntry } from "./table.ts";

/**
 * The PTR records of one address from all Services that have it: exactly one when it is a cluster address, otherwise
 * one for each Service and endpoint name (as CoreDNS since 1.12.1). Services in order of their keys.
 */
export function compileReverse(owners: ReadonlyMap<string, Pointer> | undefined): NameEntry | undefined {
  if (owners === undefined) return undefined;
  const pointers = [...owners.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pointer]) => pointer);
  const winner = pointers.find(({ clusterIp }) => clusterIp);
  if (winner === undefined) {
    const ptr = [...new Set(pointers.flatMap(({ targets }) => targets))];
    return { ptr, because: { from: pointers.flatMap(({ because }) => because.from) } };
  }
  const losers: Loser[] = pointers
    .filter((pointer) => pointer !== winner)
    .flatMap(({ because }) => because.from)
    .map((source) => ({
      ...source,
      reason: "the address is the cluster address of a Service, whose name comes first",
    }));
  return { ptr: winner.targets, because: { from: winner.because.from, ...(losers.length > 0 && { losers }) } };
}
