import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { Deployment } from "./kind.ts";

export function validateDeployment(object: Deployment): FieldError[] {
  return validateMetadata(object, true);
}

export function validateDeploymentUpdate(next: Deployment, before: Deployment): FieldError[] {
  return validateMetadataUpdate(next, before);
}
