import { kindByGvk } from "#api/kinds.ts";
import { noManagers, type Manager, type Managers } from "#api/merge/managers.ts";
import { shareText } from "#api/merge/packed.ts";
import type { KubeObject } from "#api/meta/object.ts";

/** One object as the store keeps it. */
export interface Stored {
  readonly object: KubeObject;
  readonly managers: Managers;
}

/** A manager in a row of the store: what its fields' numbers belong to follows from the object's kind. */
type StoredManager = readonly [
  manager: string,
  operation: Manager["operation"],
  apiVersion: string,
  time: string,
  subresource: string,
  fields: string,
];

/** The JSON of the object, with its managers beside `metadata`. */
export function renderStored({ object, managers }: Stored): Buffer {
  if (managers.length === 0) return Buffer.from(JSON.stringify(object));
  const rows = managers.map(
    ({ manager, operation, apiVersion, time = "", subresource = "", fields }): StoredManager => {
      return [manager, operation, apiVersion, time, subresource, fields];
    },
  );
  return Buffer.from(JSON.stringify({ ...object, managers: rows }));
}

export function parseStored(value: Uint8Array): Stored {
  const read = JSON.parse(Buffer.from(value).toString("utf8")) as KubeObject & { managers?: readonly StoredManager[] };
  const { managers, ...object } = read;
  if (managers === undefined) return { object: read, managers: noManagers };
  return { object, managers: managers.map((row) => managerOf(row, object.kind)) };
}

function managerOf(row: StoredManager, kind: string): Manager {
  const [manager, operation, apiVersion, time, subresource, fields] = row;
  return {
    manager: shareText(manager),
    operation,
    apiVersion,
    ...(time === "" ? {} : { time: shareText(time) }),
    ...(subresource === "" ? {} : { subresource }),
    schema: kindByGvk(apiVersion, kind)?.version.schema ?? "",
    fields: shareText(fields),
  };
}
