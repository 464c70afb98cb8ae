import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkPathSegment } from "../../meta/names.ts";
import { validateBinding, validateBindingUpdate } from "../binding.ts";
import type { ClusterRoleBinding } from "./kind.ts";

export function validateClusterRoleBinding(binding: ClusterRoleBinding): FieldError[] {
  return [...validateMetadata(binding, false, checkPathSegment), ...validateBinding(binding, ["ClusterRole"], false)];
}

export function validateClusterRoleBindingUpdate(next: ClusterRoleBinding, before: ClusterRoleBinding): FieldError[] {
  return [...validateMetadataUpdate(next, before), ...validateBindingUpdate(next, before)];
}
