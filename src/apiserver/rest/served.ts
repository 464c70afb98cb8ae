import { apiVersionOf, type ServedKind } from "#api/kinds.ts";
import { managersValue, renderManagers } from "#api/merge/managers.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { renderedOnce, type Item } from "../registry/item.ts";

/** An object in the version a client asked for, without `metadata.managedFields`. */
export function servedObject({ version }: ServedKind, stored: KubeObject): KubeObject {
  return version.fromStored === undefined ? stored : version.fromStored(stored);
}

/** The whole object in the version a client asked for. */
export function servedItem(served: ServedKind, item: Item): KubeObject {
  return { ...servedObject(served, item.object), metadata: wholeMetadata(item) };
}

/** The served JSON of an item, made once for each version. */
export function servedBytes(served: ServedKind, item: Item): Buffer {
  return renderedOnce(item, apiVersionOf(served.version), (object) =>
    Buffer.from(renderJson(servedObject(served, object), item)),
  );
}

/** `kind` and `apiVersion` first, as people expect to read them. */
function renderJson({ kind, apiVersion, metadata, ...rest }: KubeObject, { managers }: Item): string {
  if (managers.length === 0) return JSON.stringify({ kind, apiVersion, metadata, ...rest });
  // The sets of fields are text already: they are put in their place, not read and written again.
  const head = JSON.stringify({ kind, apiVersion, metadata }).slice(0, -2);
  const tail = JSON.stringify(rest);
  return `${head},"managedFields":${renderManagers(managers)}}${tail === "{}" ? "" : ","}${tail.slice(1)}`;
}

export function partialOf(item: Item, apiVersion: string): object {
  return { kind: "PartialObjectMetadata", apiVersion, metadata: wholeMetadata(item) };
}

function wholeMetadata({ object: { metadata }, managers }: Item): KubeObject["metadata"] {
  return managers.length === 0 ? metadata : { ...metadata, managedFields: managersValue(managers) };
}
