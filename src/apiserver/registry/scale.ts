import { selectorText } from "#api/meta/columns.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { invalid } from "#api/meta/status.ts";
import type { LabelSelector } from "#api/meta/selector.ts";
import { cloneValue } from "#base/value.ts";

/** `autoscaling/v1` Scale: the one number of a workload, apart from the rest. */
export interface Scale extends KubeObject {
  spec: { replicas?: number };
  status: { replicas: number; selector?: string };
}

type Scalable = KubeObject & {
  spec: { replicas?: number; selector?: LabelSelector };
  status?: { replicas?: number };
};

/** The Scale of a Deployment or ReplicaSet. */
export function scaleOf(object: KubeObject): Scale {
  const { metadata, spec, status } = object as Scalable;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = selectorText(spec.selector);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: spec.replicas === undefined || spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status?.replicas ?? 0, ...(selector === "<none>" ? {} : { selector }) },
  };
}

/** The workload with another number of replicas. Throws `Invalid` for what is no such number. */
export function withReplicas(object: KubeObject, replicas: unknown): KubeObject {
  const count = replicas ?? 0;
  if (typeof count !== "number" || !Number.isInteger(count) || count < 0) {
    const detail = "must be greater than or equal to 0";
    throw invalid("Scale", "autoscaling", object.metadata.name, [
      { type: "Invalid", path: "spec.replicas", value: count, detail },
    ]);
  }
  const next = cloneValue(object) as Scalable;
  next.spec.replicas = count;
  delete next.metadata.resourceVersion;
  return next;
}
