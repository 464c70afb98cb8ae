import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { Lease } from "./kind.ts";

export function validateLease(object: Lease): FieldError[] {
  return validateMetadata(object, true);
}

export function validateLeaseUpdate(next: Lease, before: Lease): FieldError[] {
  return validateMetadataUpdate(next, before);
}
