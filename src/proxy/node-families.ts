import type { Family } from "#base/cidr.ts";
import { newerRevision } from "#routing/l4/compile.ts";
import type { Problem } from "#routing/because.ts";
import type { ProxyModeName, ProxyNode, ServedAddress } from "./mode.ts";
import { startNodeProxy, type NodeProxy, type NodeProxyDeps, type Work } from "./node-proxy.ts";

/** What all proxies of a node work by: one for each family that it is served in, in that family's own view of it. */
export interface NodeWork extends Omit<Work, "node"> {
  /** At least one. */
  readonly nodes: readonly ProxyNode[];
}

/** All proxies of one node. They share nothing but the table they come from: upstream, too, has one for each family. */
export interface NodeProxies {
  readonly node: string;
  readonly mode: ProxyModeName;
  /** By family, the node's first one first. */
  readonly families: ReadonlyMap<Family, NodeProxy>;
  /** The lowest revision that is in force in every family. */
  applied(): string;
  /** Resolves when that revision is in force in every family. */
  waitFor(revision: string): Promise<void>;
  problems(): readonly Problem[];
  addresses(): readonly ServedAddress[];
  /** Resolves when the node is served so. Rejects when one family cannot be; others may be served so by then. */
  change(work: NodeWork): Promise<void>;
  stop(): Promise<void>;
  cleanup(): Promise<void>;
}

export function startNodeFamilies(first: NodeWork, deps: NodeProxyDeps): NodeProxies {
  const families = new Map<Family, NodeProxy>();
  const start = ({ nodes, ...rest }: NodeWork) => {
    for (const node of nodes) {
      const { family = 4 } = node;
      if (!families.has(family)) families.set(family, startNodeProxy({ ...rest, node }, deps));
    }
  };
  start(first);
  const name = first.nodes[0]?.name ?? "";
  const all = () => [...families.values()];

  async function change(work: NodeWork): Promise<void> {
    const { nodes, ...rest } = work;
    const known = new Map(families);
    start(work);
    for (const node of nodes) await known.get(node.family ?? 4)?.change({ ...rest, node });
    for (const [family, proxy] of known) {
      if (nodes.some((node) => (node.family ?? 4) === family)) continue;
      families.delete(family);
      await proxy.cleanup();
    }
  }

  return {
    node: name,
    get mode() {
      return all()[0]?.mode ?? first.definition.name;
    },
    families,
    applied: () => lowestRevision(all().map((proxy) => proxy.applied())),
    async waitFor(revision) {
      await Promise.all(all().map((proxy) => proxy.waitFor(revision)));
    },
    problems: () => all().flatMap((proxy) => proxy.problems()),
    addresses: () => all().flatMap((proxy) => proxy.addresses()),
    change,
    async stop() {
      await Promise.all(all().map((proxy) => proxy.stop()));
    },
    async cleanup() {
      // One after the other: the last one takes along what both used.
      for (const proxy of all()) await proxy.cleanup();
    },
  };
}

/** `"0"` of none. */
export function lowestRevision(revisions: readonly string[]): string {
  const [first = "0", ...rest] = revisions;
  return rest.reduce((low, next) => (newerRevision(low, next) === low ? next : low), first);
}
