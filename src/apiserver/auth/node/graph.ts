import type { Pod } from "#api/core/pod/kind.ts";
import { referencesOf } from "#api/core/pod/references.ts";

/** What a node has to do with: its pods, and what they name. */
export type RelatedKind = "Pod" | "Secret" | "ConfigMap" | "ServiceAccount";

/**
 * Which objects each node has to do with (upstream: `plugin/pkg/auth/authorizer/node/graph.go`). A change of one pod
 * touches what that pod says only.
 */
export interface NodeGraph {
  /** `undefined`: there is no such pod any more. The key is `namespace/name`. */
  setPod(key: string, pod: Pod | undefined): void;
  isRelated(node: string, kind: RelatedKind, namespace: string, name: string): boolean;
}

const mirror = "kubernetes.io/config.mirror";

export function createNodeGraph(): NodeGraph {
  const entered = new Map<string, { node: string; related: readonly string[] }>();
  /** Node -> object -> how many of its pods name it. */
  const counts = new Map<string, Map<string, number>>();

  function count(node: string, related: readonly string[], by: 1 | -1): void {
    const ofNode = counts.get(node) ?? new Map<string, number>();
    counts.set(node, ofNode);
    for (const object of related) {
      const next = (ofNode.get(object) ?? 0) + by;
      if (next > 0) ofNode.set(object, next);
      else ofNode.delete(object);
    }
    if (ofNode.size === 0) counts.delete(node);
  }

  return {
    setPod(key, pod) {
      const before = entered.get(key);
      if (before !== undefined) count(before.node, before.related, -1);
      entered.delete(key);
      const node = pod?.spec.nodeName;
      if (pod === undefined || node === undefined || node === "") return;
      const related = compileRelated(pod);
      entered.set(key, { node, related });
      count(node, related, 1);
    },
    isRelated: (node, kind, namespace, name) => counts.get(node)?.has(textOf(kind, namespace, name)) === true,
  };
}

function textOf(kind: RelatedKind, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

function compileRelated(pod: Pod): readonly string[] {
  const { namespace = "", name, annotations = {} } = pod.metadata;
  const own = textOf("Pod", namespace, name);
  // A node makes these itself: what they name must not count.
  if (annotations[mirror] !== undefined) return [own];
  const named = referencesOf(pod).map((reference) => textOf(reference.kind, namespace, reference.name));
  const { serviceAccountName = "" } = pod.spec;
  return [
    own,
    ...named,
    ...(serviceAccountName === "" ? [] : [textOf("ServiceAccount", namespace, serviceAccountName)]),
  ];
}
