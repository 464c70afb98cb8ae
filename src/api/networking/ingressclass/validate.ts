import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { IngressClass } from "./kind.ts";

export function validateIngressClass(object: IngressClass): FieldError[] {
  return validateMetadata(object, false);
}

export function validateIngressClassUpdate(next: IngressClass, before: IngressClass): FieldError[] {
  return validateMetadataUpdate(next, before);
}
