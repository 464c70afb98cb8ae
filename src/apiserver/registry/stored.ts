import { shareText } from "#api/merge/fields-v1.ts";
import { noManagers, type Manager, type Managers } from "#api/merge/managers.ts";
import type { KubeObject } from "#api/meta/object.ts";

/** One object as the store keeps it. */
export interface Stored {
  readonly object: KubeObject;
  readonly managers: Managers;
}

/** The JSON of the object, with its managers in the place of `metadata.managedFields`: sets of fields as texts. */
export function renderStored({ object, managers }: Stored): Buffer {
  if (managers.length === 0) return Buffer.from(JSON.stringify(object));
  return Buffer.from(JSON.stringify({ ...object, metadata: { ...object.metadata, managedFields: managers } }));
}

export function parseStored(value: Uint8Array): Stored {
  const object = JSON.parse(Buffer.from(value).toString("utf8")) as KubeObject;
  const { managedFields, ...metadata } = object.metadata;
  if (managedFields === undefined) return { object, managers: noManagers };
  const managers = (managedFields as Manager[]).map((manager) => ({ ...manager, fields: shareText(manager.fields) }));
  return { object: { ...object, metadata }, managers };
}
