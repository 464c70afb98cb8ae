import { randomBytes, randomUUID } from "node:crypto";
import type { KindDefinition } from "#api/kind.ts";
import type { KubeObject, ObjectMeta } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import { rfc3339 } from "#base/clock.ts";
import { conflict } from "./errors.ts";

/** The letters of generated names: no vowels, so that no words come out; apimachinery's `rand.String`. */
const letters = "bcdfghjklmnpqrstvwxz2456789";
const longestPrefix = 58;

export function generatedName(prefix: string): string {
  const tail = [...randomBytes(5)].map((byte) => letters[byte % letters.length]).join("");
  return `${prefix.slice(0, longestPrefix)}${tail}`;
}

/** Fills in place what the server alone decides about a new object. Throws for what a client may not send. */
export function stampNew(definition: KindDefinition, object: KubeObject, now: number): void {
  const metadata = object.metadata as Partial<ObjectMeta> & { selfLink?: unknown };
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== "") {
    throw new ApiError("BadRequest", "resourceVersion should not be set on objects to be created");
  }
  delete metadata.resourceVersion;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  delete metadata.managedFields;
  if (!definition.resource.namespaced) delete metadata.namespace;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = rfc3339(now);
  if (definition.hasGeneration) metadata.generation = 1;
  dropEmpty(metadata);
}

/** Carries over in place what an update may not change. Throws `Conflict` for another object's uid. */
export function carryMetadata(definition: KindDefinition, next: KubeObject, before: KubeObject): void {
  const metadata = next.metadata as ObjectMeta & { selfLink?: unknown };
  const was = before.metadata;
  if (metadata.uid !== undefined && metadata.uid !== "" && metadata.uid !== was.uid) {
    const why = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${was.uid}`;
    throw conflict(definition.resource, was.name, why);
  }
  for (const field of fixedFields) {
    if (was[field] === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: was[field] });
  }
  delete metadata.resourceVersion;
  delete metadata.selfLink;
  delete metadata.managedFields;
  dropEmpty(metadata);
}

const fixedFields = [
  "name",
  "namespace",
  "generateName",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
] as const;

/** Empty lists and maps are stored as absent, as upstream's `omitempty` has them. */
function dropEmpty(metadata: Partial<ObjectMeta>): void {
  for (const field of ["labels", "annotations"] as const) {
    if (metadata[field] == null || Object.keys(metadata[field]).length === 0) delete metadata[field];
  }
  for (const field of ["finalizers", "ownerReferences"] as const) {
    if (metadata[field] == null || metadata[field].length === 0) delete metadata[field];
  }
  if (metadata.generateName === "") delete metadata.generateName;
}

/** Whether nothing keeps an object any longer that is being deleted. */
export function isFinished(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds > 0 || finalizers.length > 0) return false;
  return specFinalizers(object).length === 0;
}

/** A Namespace keeps its own list in spec, which `/finalize` empties. */
export function specFinalizers(object: KubeObject): readonly string[] {
  if (object.kind !== "Namespace") return [];
  return (object as KubeObject & { spec?: { finalizers?: string[] } }).spec?.finalizers ?? [];
}
