import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import type { ServiceAccount } from "./kind.ts";

export function validateServiceAccount(account: ServiceAccount): FieldError[] {
  return validateMetadata(account, true);
}

export function validateServiceAccountUpdate(next: ServiceAccount, before: ServiceAccount): FieldError[] {
  return validateMetadataUpdate(next, before);
}
