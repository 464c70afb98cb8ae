import { templateGenerationAnnotation, type DaemonSet } from "#api/apps/daemonset/kind.ts";
import type { Node, Taint } from "#api/core/node/kind.ts";
import type { Pod, PodSpec, Toleration } from "#api/core/pod/kind.ts";
import type { New } from "#client/contract.ts";
import { ownerReferenceTo } from "../ownership.ts";
import { fitsNode } from "../pods/node-affinity.ts";
import { covers } from "../pods/toleration.ts";

/** The label by which a pod says of which revision it is, and the older one for the template's generation. */
export const revisionLabel = "controller-revision-hash";
export const generationLabel = "pod-template-generation";

const exists = (key: string, effect: "NoExecute" | "NoSchedule"): Toleration => ({
  key: `node.kubernetes.io/${key}`,
  operator: "Exists",
  effect,
});

/** What every pod of a DaemonSet tolerates (upstream's `AddOrUpdateDaemonPodTolerations`). */
const ownTolerations: readonly Toleration[] = [
  exists("not-ready", "NoExecute"),
  exists("unreachable", "NoExecute"),
  exists("disk-pressure", "NoSchedule"),
  exists("memory-pressure", "NoSchedule"),
  exists("pid-pressure", "NoSchedule"),
  exists("unschedulable", "NoSchedule"),
];

/** The spec of the pod for a node: bound to it by affinity, so that the scheduler places it and others may hold it up. */
export function compilePodSpec({ spec: { template } }: DaemonSet, nodeName: string): PodSpec {
  const { spec } = template;
  const nodeSelectorTerms = [{ matchFields: [{ key: "metadata.name", operator: "In" as const, values: [nodeName] }] }];
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms };
  const nodeAffinity = { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution };
  return { ...spec, affinity: { ...spec.affinity, nodeAffinity }, tolerations: tolerationsOf(spec) };
}

function tolerationsOf({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const own = hostNetwork === true ? [...ownTolerations, exists("network-unavailable", "NoSchedule")] : ownTolerations;
  const same = (a: Toleration, b: Toleration) =>
    a.key === b.key && a.operator === b.operator && a.effect === b.effect && (a.value ?? "") === (b.value ?? "");
  // One of the template that is the same but for its seconds gives way.
  return [...tolerations.filter((each) => !own.some((other) => same(each, other))), ...own];
}

export function renderPod(set: DaemonSet, nodeName: string, revision: string): New<Pod> {
  const { name, namespace, annotations: setAnnotations } = set.metadata;
  const { labels, annotations, finalizers } = set.spec.template.metadata ?? {};
  const generation = setAnnotations?.[templateGenerationAnnotation];
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace !== undefined && { namespace }),
      labels: { ...labels, [revisionLabel]: revision, ...(generation && { [generationLabel]: generation }) },
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [ownerReferenceTo(set)],
    },
    spec: compilePodSpec(set, nodeName),
  };
}

/** The node a pod runs on, or is meant for while it waits. */
export function targetNodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    const [field] = matchFields;
    if (field?.key === "metadata.name" && field.operator === "In") return field.values?.[0];
  }
  return undefined;
}

export interface NodeFit {
  /** A pod is to be there. */
  readonly shouldRun: boolean;
  /** One that is there may stay. */
  readonly mayStay: boolean;
}

/** Whether a DaemonSet has a pod on a node (upstream's `NodeShouldRunDaemonPod`). */
export function fitOf(set: DaemonSet, node: Node): NodeFit {
  const { spec } = set.spec.template;
  const nowhere = { shouldRun: false, mayStay: false };
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return nowhere;
  if (!fitsNode(spec, node)) return nowhere;
  const tolerations = tolerationsOf(spec);
  const untolerated = (node.spec?.taints ?? []).filter((taint) => !tolerated(tolerations, taint));
  const against = (effect: Taint["effect"]) => untolerated.some((taint) => taint.effect === effect);
  if (against("NoExecute")) return nowhere;
  return { shouldRun: !against("NoSchedule"), mayStay: true };
}

function tolerated(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some((toleration) => covers(toleration, taint));
}
