import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { zoneLabel, type Node } from "#api/core/node/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";

/** What a proxy needs to know of its Node object. */
export interface NodeFacts {
  readonly zone?: string;
  readonly podCidrs?: readonly string[];
  /** Its internal addresses. */
  readonly addresses: readonly string[];
  /** False while it is deleted, or will be by the cluster autoscaler (KEP-3836). */
  readonly isEligible: boolean;
}

export interface WatchedNodes {
  facts(name: string): NodeFacts;
  /** The Node for an Event; a name is enough where there is none. */
  object(name: string): KubeObject;
  stop(): void;
}

const toBeDeletedTaint = "ToBeDeletedByClusterAutoscaler";

/** Follows the Nodes. `changed` is told when something changed that the rules of a node depend on. */
export async function watchNodes(
  client: Client,
  { log, clock, changed }: { log: Log; clock: Clock; changed: (name: string) => void },
): Promise<WatchedNodes> {
  const nodes = startInformer(client, "Node", { log, clock });
  /** Nodes that were there and went. */
  const gone = new Set<string>();
  await nodes.synced;
  let isStarted = false;
  const unsubscribe = nodes.onChange(({ before, after }) => {
    const name = (after ?? before)?.metadata.name ?? "";
    if (after === undefined) gone.add(name);
    else gone.delete(name);
    if (isStarted && !isDeepStrictEqual(rulesOf(before), rulesOf(after)) && after !== undefined) changed(name);
  });
  isStarted = true;
  return {
    facts(name) {
      const node = nodes.get(name);
      return { ...rulesOf(node), isEligible: isEligible(node) && !gone.has(name) };
    },
    object: (name) => nodes.get(name) ?? { apiVersion: "v1", kind: "Node", metadata: { name } },
    stop() {
      unsubscribe();
      nodes.stop();
    },
  };
}

function rulesOf(node: Node | undefined): Omit<NodeFacts, "isEligible"> {
  const zone = node?.metadata.labels?.[zoneLabel];
  const podCidrs = node?.spec?.podCIDRs;
  const internal = (node?.status?.addresses ?? []).filter(({ type }) => type === "InternalIP");
  return {
    ...(zone === undefined ? {} : { zone }),
    ...(podCidrs === undefined ? {} : { podCidrs }),
    addresses: internal.map(({ address }) => address),
  };
}

/** A node that is not known yet counts as eligible: the proxy may be the first to start. */
function isEligible(node: Node | undefined): boolean {
  if (node?.metadata.deletionTimestamp !== undefined) return false;
  return !(node?.spec?.taints ?? []).some(({ key }) => key === toBeDeletedTaint);
}
