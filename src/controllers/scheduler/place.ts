import { findCondition } from "#api/meta/condition.ts";
import { controllerOf } from "#api/meta/object.ts";
import type { Node, Taint } from "#api/core/node/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { fitsNode } from "../pods/node-affinity.ts";
import { tolerates } from "../pods/toleration.ts";

/** A node with the pods that run there or are about to. */
export interface Candidate {
  readonly node: Node;
  readonly pods: readonly Pod[];
}

export type Placement =
  | { readonly node: string }
  /** Upstream's words, e.g. `0/3 nodes are available: 3 node(s) were unschedulable.` */
  | { readonly node?: undefined; readonly message: string };

const notReadyTaint: Taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

/**
 * Where a pod goes: among the nodes that can take it, one without a taint it would rather avoid, then with the fewest
 * pods of the same owner, then with the fewest pods, then the first by name. Pods of one owner so spread evenly.
 */
export function compilePlacement(pod: Pod, candidates: readonly Candidate[]): Placement {
  if (candidates.length === 0) return { message: "no nodes available to schedule pods" };
  const reasons = new Map<string, number>();
  const feasible: Candidate[] = [];
  for (const candidate of candidates) {
    const reason = whyNot(pod, candidate);
    if (reason === undefined) feasible.push(candidate);
    else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const [first] = feasible
    .map(({ node, pods }) => ({
      name: node.metadata.name,
      rank: [avoided(pod, node), siblings(pod, pods), pods.length],
    }))
    .sort((a, b) => compareRanks(a.rank, b.rank) || (a.name < b.name ? -1 : 1));
  if (first !== undefined) return { node: first.name };
  const texts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return { message: `0/${candidates.length} nodes are available: ${texts.join(", ")}.` };
}

/** Why the node cannot take the pod, in upstream's words, or `undefined` when it can. */
function whyNot(pod: Pod, { node, pods }: Candidate): string | undefined {
  if (node.metadata.deletionTimestamp !== undefined) return "node(s) were unschedulable";
  if (node.spec?.unschedulable === true && !tolerates(pod, unschedulableTaint)) return "node(s) were unschedulable";
  const isReady = findCondition(node.status?.conditions, "Ready")?.status === "True";
  const taints = [...(node.spec?.taints ?? []), ...(isReady ? [] : [notReadyTaint])];
  const taint = taints.find((each) => each.effect !== "PreferNoSchedule" && !tolerates(pod, each));
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
  if (!fitsNode(pod.spec, node)) {
    return "node(s) didn't match Pod's node affinity/selector";
  }
  const limit = Number(node.status?.allocatable?.["pods"] ?? Infinity);
  if (pods.length >= limit) return "Too many pods";
  const taken = new Set(pods.flatMap(hostPortsOf));
  return hostPortsOf(pod).some((port) => taken.has(port))
    ? "node(s) didn't have free ports for the requested pod ports"
    : undefined;
}

const unschedulableTaint: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

function hostPortsOf({ spec }: Pod): string[] {
  return spec.containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, protocol = "TCP" }) =>
      hostPort ? [`${hostIP ?? ""} ${protocol} ${hostPort}`] : [],
    ),
  );
}

function avoided(pod: Pod, node: Node): number {
  const taints = node.spec?.taints ?? [];
  return taints.filter((taint) => taint.effect === "PreferNoSchedule" && !tolerates(pod, taint)).length;
}

function siblings(pod: Pod, pods: readonly Pod[]): number {
  const owner = controllerOf(pod)?.uid;
  return owner === undefined ? 0 : pods.filter((other) => controllerOf(other)?.uid === owner).length;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, at) => value !== b[at]);
  return index === -1 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}
