import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata } from "../../meta/metadata.ts";
import { checkLabel } from "../../meta/names.ts";
import type { Service } from "./kind.ts";

export function validateService(object: Service): FieldError[] {
  return validateMetadata(object, true, checkLabel);
}
