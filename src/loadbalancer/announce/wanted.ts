import type { Node } from "#api/core/node/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { heldAddresses } from "../assign.ts";
import { isOurs } from "../wishes.ts";

/** An outside address that one of the nodes should announce. */
export interface WantedAddress {
  readonly address: string;
  /** The Services that have it; one, where it is not shared. */
  readonly services: readonly Service[];
  /** The nodes that may announce it, the best first. */
  readonly candidates: readonly string[];
}

/** Nodes with it announce nothing (core/v1 `LabelNodeExcludeBalancers`). */
const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

export interface Facts {
  readonly services: readonly Service[];
  readonly nodes: readonly Node[];
  readonly slicesOf: (service: Service) => readonly EndpointSlice[];
}

/**
 * The addresses there are and who may announce each: every node, or with externalTrafficPolicy Local those with a ready
 * endpoint, since the others drop. The order differs from address to address, so that nodes share the work. Pure.
 */
export function wantedAddresses({ services, nodes, slicesOf }: Facts): Map<string, WantedAddress> {
  const names = nodes.filter(({ metadata }) => metadata.labels?.[excludeLabel] === undefined);
  const byAddress = new Map<string, Service[]>();
  for (const service of services) {
    if (!isOurs(service)) continue;
    for (const address of heldAddresses(service)) {
      byAddress.set(address, [...(byAddress.get(address) ?? []), service]);
    }
  }
  const wanted = new Map<string, WantedAddress>();
  for (const [address, sharing] of byAddress) {
    let candidates = names.map(({ metadata }) => metadata.name);
    for (const service of sharing) {
      if (service.spec.externalTrafficPolicy !== "Local") continue;
      const local = nodesWithEndpoints(slicesOf(service));
      candidates = candidates.filter((name) => local.has(name));
    }
    wanted.set(address, { address, services: sharing, candidates: inOrder(address, candidates) });
  }
  return wanted;
}

function nodesWithEndpoints(slices: readonly EndpointSlice[]): Set<string> {
  const ready = slices.flatMap(({ endpoints }) => endpoints.filter(({ conditions }) => conditions?.ready !== false));
  return new Set(ready.flatMap(({ nodeName }) => nodeName ?? []));
}

/** By rendezvous hashing: a node that comes or goes changes the first place of few addresses. */
function inOrder(address: string, names: readonly string[]): string[] {
  const weights = new Map(names.map((name) => [name, hashOf(`${name} ${address}`)]));
  return [...names].sort((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0) || (a < b ? -1 : 1));
}

/** FNV-1a with a final mix, which spreads texts that differ in their last letters. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
