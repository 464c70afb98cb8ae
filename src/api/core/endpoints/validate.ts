import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { Endpoints } from "./kind.ts";

export function validateEndpoints(object: Endpoints): FieldError[] {
  return validateMetadata(object, true);
}

export function validateEndpointsUpdate(next: Endpoints, before: Endpoints): FieldError[] {
  return validateMetadataUpdate(next, before);
}
