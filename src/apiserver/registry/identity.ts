import type { KubeObject, ObjectKey } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";

/** Throws `BadRequest` when a patch moved the object to another name or namespace. */
export function checkSameKey(next: KubeObject, before: KubeObject): void {
  checkKey(next, before.metadata);
}

/**
 * Holds an object's name and namespace against those of the path, and fills in what it leaves out. Throws `BadRequest`
 * in upstream's words.
 */
export function checkKey(object: KubeObject, { namespace, name }: Partial<ObjectKey>): void {
  const { metadata } = object;
  if (metadata.namespace && namespace !== undefined && metadata.namespace !== namespace) {
    const text = "the namespace of the provided object does not match the namespace sent on the request";
    throw new ApiError("BadRequest", text);
  }
  if (namespace !== undefined) metadata.namespace = namespace;
  if (name === undefined) return;
  if (metadata.name && metadata.name !== name) {
    const text = `the name of the object (${metadata.name}) does not match the name on the URL (${name})`;
    throw new ApiError("BadRequest", text);
  }
  metadata.name = name;
}
