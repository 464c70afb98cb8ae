import type { FieldError } from "../../meta/field-error.ts";
import { immutable, invalidValue, notSupported, required, unlessNatural } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { validateWorkloadSelector } from "../../meta/validate-selector.ts";
import { shareOf, validateShare } from "../deployment/validate.ts";
import { validateWorkloadTemplate } from "../replicaset/validate.ts";
import type { DaemonSet, DaemonSetSpec } from "./kind.ts";

/** The rules of upstream's `ValidateDaemonSetSpec`, in its order. */
export function validateDaemonSet(set: DaemonSet): FieldError[] {
  const { spec } = set;
  return [
    ...validateMetadata(set, true),
    ...validateWorkloadSelector(spec.selector, "daemon set"),
    ...validateWorkloadTemplate(spec.template, spec.selector),
    ...unlessNatural("spec.minReadySeconds", spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy ?? {}),
    ...unlessNatural("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
  ];
}

export function validateDaemonSetUpdate(next: DaemonSet, before: DaemonSet): FieldError[] {
  return [
    ...validateMetadataUpdate(next, before),
    ...immutable("spec.selector", next.spec.selector, before.spec.selector),
  ];
}

/** Either a pod may be missing on a node or one more may run there, not both. */
function validateStrategy({ type, rollingUpdate }: NonNullable<DaemonSetSpec["updateStrategy"]>): FieldError[] {
  const path = "spec.updateStrategy";
  if (type === "OnDelete") return [];
  if (type !== "RollingUpdate") return [notSupported(`${path}.type`, type, ["OnDelete", "RollingUpdate"])];
  if (rollingUpdate === undefined) return [required(`${path}.rollingUpdate`)];
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  const [unavailablePath, surgePath] = [`${path}.rollingUpdate.maxUnavailable`, `${path}.rollingUpdate.maxSurge`];
  const errors = [...validateShare(unavailablePath, maxUnavailable), ...validateShare(surgePath, maxSurge)];
  for (const [sharePath, value] of [
    [unavailablePath, maxUnavailable],
    [surgePath, maxSurge],
  ] as const) {
    if (typeof value === "string" && shareOf(value) > 100) {
      errors.push(invalidValue(sharePath, value, "must not be greater than 100%"));
    }
  }
  if (shareOf(maxUnavailable) > 0 && shareOf(maxSurge) > 0) {
    errors.push(invalidValue(surgePath, maxSurge, "may not be set when maxUnavailable is non-zero"));
  }
  if (shareOf(maxUnavailable) === 0 && shareOf(maxSurge) === 0) {
    errors.push(required(unavailablePath, "cannot be 0 when maxSurge is 0"));
  }
  return errors;
}
