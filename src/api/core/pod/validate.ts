import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata } from "../../meta/metadata.ts";

import type { Pod } from "./kind.ts";

export function validatePod(object: Pod): FieldError[] {
  return validateMetadata(object, true);
}
