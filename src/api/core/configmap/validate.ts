import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { ConfigMap } from "./kind.ts";

export function validateConfigMap(object: ConfigMap): FieldError[] {
  return validateMetadata(object, true);
}

export function validateConfigMapUpdate(next: ConfigMap, before: ConfigMap): FieldError[] {
  return validateMetadataUpdate(next, before);
}
