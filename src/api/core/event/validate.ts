import type { FieldError } from "../../meta/field-error.ts";
import { invalidValue } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import type { Event } from "./kind.ts";

/** An event lives with the object it is about, or in `default` when that object is in no namespace. */
export function validateEvent(event: Event): FieldError[] {
  const errors = validateMetadata(event, true);
  const { namespace = "" } = event.involvedObject;
  const home = event.metadata.namespace ?? "";
  const fits = namespace === "" ? home === "" || home === "default" : namespace === home;
  if (!fits) errors.push(invalidValue("involvedObject.namespace", namespace, "does not match event.namespace"));
  return errors;
}

export function validateEventUpdate(next: Event, before: Event): FieldError[] {
  return validateMetadataUpdate(next, before);
}
