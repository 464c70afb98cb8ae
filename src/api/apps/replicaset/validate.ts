import type { FieldError } from "../../meta/field-error.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";

import type { ReplicaSet } from "./kind.ts";

export function validateReplicaSet(object: ReplicaSet): FieldError[] {
  return validateMetadata(object, true);
}

export function validateReplicaSetUpdate(next: ReplicaSet, before: ReplicaSet): FieldError[] {
  return validateMetadataUpdate(next, before);
}
