import type { FieldError } from "../../meta/field-error.ts";
import { required } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkPathSegment } from "../../meta/names.ts";
import { validateSelector } from "../../meta/validate-selector.ts";
import { validateRules } from "../rule.ts";
import type { ClusterRole } from "./kind.ts";

export function validateClusterRole(role: ClusterRole): FieldError[] {
  return [
    ...validateMetadata(role, false, checkPathSegment),
    ...validateRules(role.rules ?? [], false),
    ...validateAggregation(role),
  ];
}

function validateAggregation({ aggregationRule }: ClusterRole): FieldError[] {
  if (aggregationRule === undefined) return [];
  const { clusterRoleSelectors: selectors = [] } = aggregationRule;
  const path = "aggregationRule.clusterRoleSelectors";
  const detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
  if (selectors.length === 0) return [required(path, detail)];
  return selectors.flatMap((selector, index) => validateSelector(selector, `${path}[${index}]`));
}

export function validateClusterRoleUpdate(next: ClusterRole, before: ClusterRole): FieldError[] {
  return validateMetadataUpdate(next, before);
}
