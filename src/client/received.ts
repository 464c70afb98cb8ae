import type { KubeObject } from "#api/meta/object.ts";

/**
 * An object as it came over the wire, changed in place: without `metadata.managedFields`, which is most of many objects,
 * and nothing to any engine. Servers keep what they know when it is left out of a write.
 */
export function received<T extends KubeObject>(object: T): T {
  delete object.metadata?.managedFields;
  return object;
}
