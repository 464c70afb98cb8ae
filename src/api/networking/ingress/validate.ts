import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { Ingress } from "./kind.ts";

export function validateIngress(object: Ingress): FieldError[] {
  return validateMetadata(object, true);
}

export function validateIngressUpdate(next: Ingress, before: Ingress): FieldError[] {
  return validateMetadataUpdate(next, before);
}

/** Texts for `Warning:` headers. */
export function warnAboutIngress(_ingress: Ingress): string[] {
  return [];
}
