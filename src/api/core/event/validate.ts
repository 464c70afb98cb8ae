import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { Event } from "./kind.ts";

export function validateEvent(object: Event): FieldError[] {
  return validateMetadata(object, true);
}

export function validateEventUpdate(next: Event, before: Event): FieldError[] {
  return validateMetadataUpdate(next, before);
}
