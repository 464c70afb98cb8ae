import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { Node } from "./kind.ts";

export function validateNode(object: Node): FieldError[] {
  return validateMetadata(object, false);
}

export function validateNodeUpdate(next: Node, before: Node): FieldError[] {
  return validateMetadataUpdate(next, before);
}
