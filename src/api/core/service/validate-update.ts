import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadataUpdate } from "../../meta/metadata.ts";

import type { Service } from "./kind.ts";

export function validateServiceUpdate(next: Service, before: Service): FieldError[] {
  return validateMetadataUpdate(next, before);
}
