import type { PodTemplateSpec } from "../../core/pod/kind.ts";
import type { Condition } from "../../meta/condition.ts";
import type { ObjectMeta } from "../../meta/object.ts";
import type { LabelSelector } from "../../meta/selector.ts";

export interface DaemonSet {
  apiVersion: "apps/v1";
  kind: "DaemonSet";
  metadata: ObjectMeta;
  spec: DaemonSetSpec;
  status?: DaemonSetStatus;
}

export interface DaemonSetSpec {
  selector: LabelSelector;
  template: PodTemplateSpec;
  updateStrategy?: {
    type?: "RollingUpdate" | "OnDelete";
    rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string };
  };
  minReadySeconds?: number;
  revisionHistoryLimit?: number;
}

export interface DaemonSetStatus {
  currentNumberScheduled: number;
  numberMisscheduled: number;
  desiredNumberScheduled: number;
  numberReady: number;
  observedGeneration?: number;
  updatedNumberScheduled?: number;
  numberAvailable?: number;
  numberUnavailable?: number;
  collisionCount?: number;
  conditions?: Condition[];
}

/** How often the pod template has changed; the server's own (upstream's `spec.templateGeneration` in `apps/v1`). */
export const templateGenerationAnnotation = "deprecated.daemonset.template.generation";
