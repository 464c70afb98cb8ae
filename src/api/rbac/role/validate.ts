import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkPathSegment } from "../../meta/names.ts";
import { validateRules } from "../rule.ts";
import type { Role } from "./kind.ts";

export function validateRole(role: Role): FieldError[] {
  return [...validateMetadata(role, true, checkPathSegment), ...validateRules(role.rules ?? [], true)];
}

export function validateRoleUpdate(next: Role, before: Role): FieldError[] {
  return validateMetadataUpdate(next, before);
}
