import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, immutable, invalidValue, notSupported, unlessNatural } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { validateWorkloadSelector } from "../../meta/validate-selector.ts";
import { validateWorkloadTemplate } from "../replicaset/validate.ts";
import type { Deployment, DeploymentSpec } from "./kind.ts";

/** The rules of upstream's `ValidateDeploymentSpec`, in its order. */
export function validateDeployment(deployment: Deployment): FieldError[] {
  const { spec } = deployment;
  return [
    ...validateMetadata(deployment, true),
    ...unlessNatural("spec.replicas", spec.replicas),
    ...validateWorkloadSelector(spec.selector, "deployment"),
    ...validateWorkloadTemplate(spec.template, spec.selector),
    ...validateStrategy(spec.strategy ?? {}),
    ...unlessNatural("spec.minReadySeconds", spec.minReadySeconds),
    ...unlessNatural("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...validateDeadline(spec),
  ];
}

export function validateDeploymentUpdate(next: Deployment, before: Deployment): FieldError[] {
  return [
    ...validateMetadataUpdate(next, before),
    ...immutable("spec.selector", next.spec.selector, before.spec.selector),
  ];
}

function validateDeadline({ progressDeadlineSeconds, minReadySeconds = 0 }: DeploymentSpec): FieldError[] {
  const path = "spec.progressDeadlineSeconds";
  const errors = unlessNatural(path, progressDeadlineSeconds);
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds) {
    errors.push(invalidValue(path, progressDeadlineSeconds, "must be greater than minReadySeconds"));
  }
  return errors;
}

function validateStrategy({ type, rollingUpdate }: NonNullable<DeploymentSpec["strategy"]>): FieldError[] {
  const path = "spec.strategy";
  if (type === "Recreate") {
    if (rollingUpdate === undefined) return [];
    return [forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (type !== "RollingUpdate") return [notSupported(`${path}.type`, type, ["Recreate", "RollingUpdate"])];
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  const unavailablePath = `${path}.rollingUpdate.maxUnavailable`;
  const errors = [
    ...validateShare(unavailablePath, maxUnavailable),
    ...validateShare(`${path}.rollingUpdate.maxSurge`, maxSurge),
  ];
  if (shareOf(maxUnavailable) === 0 && shareOf(maxSurge) === 0) {
    errors.push(invalidValue(unavailablePath, maxUnavailable, "may not be 0 when `maxSurge` is 0"));
  }
  if (typeof maxUnavailable === "string" && shareOf(maxUnavailable) > 100) {
    errors.push(invalidValue(unavailablePath, maxUnavailable, "must not be greater than 100%"));
  }
  return errors;
}

export function shareOf(value: number | string): number {
  return typeof value === "number" ? value : Number.parseInt(value, 10);
}

export function validateShare(path: string, value: number | string): FieldError[] {
  if (typeof value === "number") return unlessNatural(path, value);
  if (/^[0-9]+%$/.test(value)) return [];
  const detail =
    "a valid percent string must be a numeric string followed by an ending '%' " +
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [invalidValue(path, value, detail)];
}
