import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, invalids, invalidValue, sameValue, tooLong } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkConfigKey } from "../../meta/names.ts";
import type { ConfigMap } from "./kind.ts";

/** The most that a ConfigMap or a Secret may hold, in bytes. */
export const dataLimit = 1024 * 1024;
const frozen = "field is immutable when `immutable` is set";

export function validateConfigMap(map: ConfigMap): FieldError[] {
  const { data = {}, binaryData = {} } = map;
  const errors = validateMetadata(map, true);
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.push(...invalids(`data[${key}]`, key, checkConfigKey(key)));
    if (Object.hasOwn(binaryData, key)) {
      errors.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
    }
    size += Buffer.byteLength(value);
  }
  for (const [key, value] of Object.entries(binaryData)) {
    errors.push(...invalids(`binaryData[${key}]`, key, checkConfigKey(key)));
    size += Buffer.byteLength(value, "base64");
  }
  return size > dataLimit ? [...errors, tooLong("[]", dataLimit)] : errors;
}

export function validateConfigMapUpdate(next: ConfigMap, before: ConfigMap): FieldError[] {
  const errors = validateMetadataUpdate(next, before);
  return [...errors, ...validateFrozen(next, before, ["data", "binaryData"])];
}

/** Once `immutable` is set, neither it nor the data may change. */
export function validateFrozen<T extends { immutable?: boolean }>(
  next: T,
  before: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (before.immutable !== true) return [];
  const changed = fields.filter((field) => !sameValue(next[field], before[field]));
  return [...(next.immutable === true ? [] : ["immutable"]), ...changed].map((field) => forbidden(field, frozen));
}
