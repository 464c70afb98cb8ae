import type { PodTemplateSpec } from "../../core/pod/kind.ts";
import { validatePodTemplate } from "../../core/pod/validate.ts";
import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, immutable, invalidValue, notSupported, unlessNatural } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { matchesSelector, type LabelSelector } from "../../meta/selector.ts";
import { isEmptySelector, validateWorkloadSelector } from "../../meta/validate-selector.ts";
import type { ReplicaSet } from "./kind.ts";

export function validateReplicaSet(set: ReplicaSet): FieldError[] {
  const { replicas, minReadySeconds, selector, template } = set.spec;
  return [
    ...validateMetadata(set, true),
    ...unlessNatural("spec.replicas", replicas),
    ...unlessNatural("spec.minReadySeconds", minReadySeconds),
    ...validateWorkloadSelector(selector, "replica set"),
    ...validateWorkloadTemplate(template ?? { spec: { containers: [] } }, selector),
  ];
}

export function validateReplicaSetUpdate(next: ReplicaSet, before: ReplicaSet): FieldError[] {
  return [
    ...validateMetadataUpdate(next, before),
    ...immutable("spec.selector", next.spec.selector, before.spec.selector),
  ];
}

/** What Deployments and ReplicaSets ask of the pods they make. */
export function validateWorkloadTemplate(template: PodTemplateSpec, selector: LabelSelector | undefined): FieldError[] {
  const path = "spec.template";
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  if (selector !== undefined && !isEmptySelector(selector) && !matchesSelector(selector, labels)) {
    const detail = "`selector` does not match template `labels`";
    errors.push(invalidValue(`${path}.metadata.labels`, labels ?? null, detail));
  }
  errors.push(...validatePodTemplate(template, path));
  const { restartPolicy, activeDeadlineSeconds } = template.spec;
  if (restartPolicy !== undefined && restartPolicy !== "Always") {
    errors.push(notSupported(`${path}.spec.restartPolicy`, restartPolicy, ["Always"]));
  }
  if (activeDeadlineSeconds !== undefined) {
    errors.push(
      forbidden(`${path}.spec.activeDeadlineSeconds`, "activeDeadlineSeconds in ReplicaSet is not Supported"),
    );
  }
  return errors;
}
