import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadataUpdate } from "../../meta/metadata.ts";

import type { Pod } from "./kind.ts";

export function validatePodUpdate(next: Pod, before: Pod): FieldError[] {
  return validateMetadataUpdate(next, before);
}
