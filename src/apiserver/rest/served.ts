import { apiVersionOf, type ServedKind } from "#api/kinds.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { renderedOnce, type Item } from "../registry/item.ts";

/** An object in the version a client asked for. */
export function servedObject({ version }: ServedKind, stored: KubeObject): KubeObject {
  return version.fromStored === undefined ? stored : version.fromStored(stored);
}

/** The served JSON of an item, made once for each version. */
export function servedBytes(served: ServedKind, item: Item): Buffer {
  return renderedOnce(item, apiVersionOf(served.version), (object) =>
    Buffer.from(JSON.stringify(servedObject(served, inOrder(object)))),
  );
}

/** `kind` and `apiVersion` first, as people expect to read them. */
function inOrder({ kind, apiVersion, metadata, ...rest }: KubeObject): KubeObject {
  return { kind, apiVersion, metadata, ...rest };
}

export function partialOf({ metadata }: KubeObject, apiVersion: string): object {
  return { kind: "PartialObjectMetadata", apiVersion, metadata };
}
