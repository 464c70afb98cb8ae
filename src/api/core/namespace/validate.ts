import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkLabel } from "../../meta/names.ts";
import type { Namespace } from "./kind.ts";

export function validateNamespace(object: Namespace): FieldError[] {
  return validateMetadata(object, false, checkLabel);
}

export function validateNamespaceUpdate(next: Namespace, before: Namespace): FieldError[] {
  return validateMetadataUpdate(next, before);
}
