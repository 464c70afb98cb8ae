import { noManagers, type Managers } from "#api/merge/managers.ts";
import { packManagers, unpackManagers } from "#api/merge/packed.ts";
import type { KubeObject } from "#api/meta/object.ts";

/** One object as the store keeps it. */
export interface Stored {
  readonly object: KubeObject;
  readonly managers: Managers;
}

/** The JSON of the object, with its managers beside `metadata`. */
export function renderStored({ object, managers }: Stored): Buffer {
  const text = JSON.stringify(object);
  if (managers.length === 0) return Buffer.from(text);
  return Buffer.from(`${text.slice(0, -1)},"managers":${packManagers(managers, object.kind)}}`);
}

export function parseStored(value: Uint8Array): Stored {
  const read = JSON.parse(Buffer.from(value).toString("utf8")) as KubeObject & { managers?: unknown };
  const { managers, ...object } = read;
  if (managers === undefined) return { object: read, managers: noManagers };
  return { object, managers: unpackManagers(managers, object.kind) };
}
