import type { PodTemplateSpec } from "../../core/pod/kind.ts";
import type { Condition } from "../../meta/condition.ts";
import type { ObjectMeta } from "../../meta/object.ts";
import type { LabelSelector } from "../../meta/selector.ts";

export interface ReplicaSet {
  apiVersion: "apps/v1";
  kind: "ReplicaSet";
  metadata: ObjectMeta;
  spec: { replicas?: number; minReadySeconds?: number; selector: LabelSelector; template?: PodTemplateSpec };
  status?: {
    replicas?: number;
    fullyLabeledReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    terminatingReplicas?: number;
    observedGeneration?: number;
    conditions?: Condition[];
  };
}
