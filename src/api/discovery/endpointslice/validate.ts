import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { EndpointSlice } from "./kind.ts";

export function validateEndpointSlice(object: EndpointSlice): FieldError[] {
  return validateMetadata(object, true);
}

export function validateEndpointSliceUpdate(next: EndpointSlice, before: EndpointSlice): FieldError[] {
  return validateMetadataUpdate(next, before);
}
