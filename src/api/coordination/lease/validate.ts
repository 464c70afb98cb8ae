import type { FieldError } from "../../meta/field-error.ts";
import { invalidValue, unlessNatural } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import type { Lease } from "./kind.ts";

export function validateLease(lease: Lease): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions } = lease.spec ?? {};
  const errors = validateMetadata(lease, true);
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(invalidValue("spec.leaseDurationSeconds", leaseDurationSeconds, "must be greater than 0"));
  }
  return [...errors, ...unlessNatural("spec.leaseTransitions", leaseTransitions)];
}

export function validateLeaseUpdate(next: Lease, before: Lease): FieldError[] {
  return validateMetadataUpdate(next, before);
}
