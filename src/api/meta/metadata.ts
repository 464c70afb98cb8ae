import type { FieldError } from "./field-error.ts";
import { forbidden, immutable, invalids, invalidValue, required } from "./field-errors.ts";
import { checkLabel, checkLabelValue, checkQualifiedName, checkSubdomain } from "./names.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "./object.ts";

/** The most that all annotations of an object may hold, in bytes. */
const annotationLimit = 256 * 1024;
const standardFinalizers: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

export type NameCheck = (name: string) => string[];

/**
 * The rules of `metadata` that all kinds share (apimachinery's `ValidateObjectMeta`). `checkName` is the kind's own; a
 * generated name has its five random characters by the time this runs, or is checked as if it had.
 */
export function validateMetadata(
  { metadata }: KubeObject,
  namespaced: boolean,
  checkName: NameCheck = checkSubdomain,
): FieldError[] {
  const errors: FieldError[] = [];
  if (metadata.generateName) {
    const prefix = metadata.generateName.replace(/[-.]$/, "x");
    errors.push(...invalids("metadata.generateName", metadata.generateName, checkName(prefix)));
  }
  if (!metadata.name) errors.push(required("metadata.name", "name or generateName is required"));
  else errors.push(...invalids("metadata.name", metadata.name, checkName(metadata.name)));
  if (namespaced && !metadata.namespace) errors.push(required("metadata.namespace"));
  else if (namespaced)
    errors.push(...invalids("metadata.namespace", metadata.namespace, checkLabel(metadata.namespace ?? "")));
  else if (metadata.namespace) errors.push(forbidden("metadata.namespace", "not allowed on this type"));
  if ((metadata.generation ?? 0) < 0) {
    errors.push(invalidValue("metadata.generation", metadata.generation, "must be greater than or equal to 0"));
  }
  return [
    ...errors,
    ...validateLabels(metadata.labels, "metadata.labels"),
    ...validateAnnotations(metadata.annotations, "metadata.annotations"),
    ...validateOwners(metadata.ownerReferences ?? []),
    ...validateFinalizers(metadata.finalizers ?? []),
  ];
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...invalids(path, key, checkQualifiedName(key)),
    ...invalids(path, value, checkLabelValue(value)),
  ]);
}

export function validateAnnotations(annotations: ObjectMeta["annotations"], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    errors.push(...invalids(path, key, checkQualifiedName(key.toLowerCase())));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > annotationLimit) {
    errors.push({ type: "TooLong", path, detail: `may not be more than ${annotationLimit} bytes` });
  }
  return errors;
}

function validateOwners(owners: readonly OwnerReference[]): FieldError[] {
  const path = "metadata.ownerReferences";
  const errors = owners.flatMap((owner, index) => {
    const fields = (["kind", "name", "uid"] as const).filter((field) => !owner[field]);
    const missing = fields.map((field) =>
      invalidValue(`${path}[${index}].${field}`, owner[field], "must not be empty"),
    );
    if (!owner.apiVersion || owner.apiVersion.endsWith("/")) {
      missing.push(invalidValue(`${path}[${index}].apiVersion`, owner.apiVersion, "version must not be empty"));
    }
    return missing;
  });
  const [first, second] = owners.filter(({ controller }) => controller === true);
  if (first !== undefined && second !== undefined) {
    const detail =
      'Only one reference can have Controller set to true. Found "true" in references for ' +
      `${first.kind}/${first.name} and ${second.kind}/${second.name}`;
    errors.push(invalidValue(path, owners, detail));
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[]): FieldError[] {
  const path = "metadata.finalizers";
  const errors = finalizers.flatMap((name, index) => {
    const wrong = invalids(path, name, checkQualifiedName(name));
    if (wrong.length > 0 || name.includes("/") || standardFinalizers.has(name)) return wrong;
    const detail = "name is neither a standard finalizer name nor is it fully qualified";
    return [invalidValue(`${path}[${index}]`, name, detail)];
  });
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(invalidValue(path, finalizers, "finalizers orphan and foregroundDeletion cannot be both set"));
  }
  return errors;
}

/** What may not change in metadata (apimachinery's `ValidateObjectMetaUpdate`). */
export function validateMetadataUpdate(next: KubeObject, before: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const fixed = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"] as const;
  for (const field of fixed) {
    errors.push(...immutable(`metadata.${field}`, next.metadata[field], before.metadata[field]));
  }
  if (before.metadata.deletionTimestamp !== undefined) {
    const added = (next.metadata.finalizers ?? []).filter((name) => !before.metadata.finalizers?.includes(name));
    if (added.length > 0) {
      const names = added.map((name) => JSON.stringify(name)).join(", ");
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${names}}`;
      errors.push(forbidden("metadata.finalizers", detail));
    }
  }
  if ((next.metadata.generation ?? 0) < (before.metadata.generation ?? 0)) {
    errors.push(invalidValue("metadata.generation", next.metadata.generation, "must not be decremented"));
  }
  return errors;
}
