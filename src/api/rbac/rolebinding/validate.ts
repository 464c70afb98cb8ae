import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkPathSegment } from "../../meta/names.ts";
import { validateBinding, validateBindingUpdate } from "../binding.ts";
import type { RoleBinding } from "./kind.ts";

export function validateRoleBinding(binding: RoleBinding): FieldError[] {
  return [
    ...validateMetadata(binding, true, checkPathSegment),
    ...validateBinding(binding, ["ClusterRole", "Role"], true),
  ];
}

export function validateRoleBindingUpdate(next: RoleBinding, before: RoleBinding): FieldError[] {
  return [...validateMetadataUpdate(next, before), ...validateBindingUpdate(next, before)];
}
