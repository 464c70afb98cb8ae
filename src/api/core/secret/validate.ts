import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { Secret } from "./kind.ts";

export function validateSecret(object: Secret): FieldError[] {
  return validateMetadata(object, true);
}

export function validateSecretUpdate(next: Secret, before: Secret): FieldError[] {
  return validateMetadataUpdate(next, before);
}
