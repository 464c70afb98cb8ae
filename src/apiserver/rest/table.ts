import type { Column } from "#api/kind.ts";
import type { ServedKind } from "#api/kinds.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Item } from "../registry/item.ts";
import { servedItem } from "./served.ts";

/** What each row carries of its object. */
export type IncludeObject = "None" | "Metadata" | "Object";

export interface TableMetadata {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/**
 * `meta.k8s.io` Table: what `kubectl get` prints. Never kept, since it holds ages; `now` in milliseconds. Every column is
 * sent, the wide ones too: the client chooses.
 */
export function tableOf(
  served: ServedKind,
  items: readonly Item[],
  apiVersion: string,
  include: IncludeObject,
  now: number,
  metadata: TableMetadata,
): object {
  const { columns } = served.definition;
  const rows = items.map((item) => ({
    cells: columns.map((column) => column.cell(item.object, now)),
    ...conditionsOf(item.object),
    object: rowObject(item.object, apiVersion, include, () => servedItem(served, item)),
  }));
  return { ...tableHead(columns, apiVersion, metadata), rows };
}

/** The Table of one object of a subresource, whose columns are its own. */
export function tableOfOne<T extends KubeObject>(
  object: T,
  columns: readonly Column<T>[],
  apiVersion: string,
  include: IncludeObject,
  now: number,
): object {
  const cells = columns.map((column) => column.cell(object, now));
  const metadata = { resourceVersion: object.metadata.resourceVersion ?? "" };
  const rows = [{ cells, object: rowObject(object, apiVersion, include, () => object) }];
  return { ...tableHead(columns, apiVersion, metadata), rows };
}

function tableHead(columns: readonly Column<never>[], apiVersion: string, metadata: TableMetadata): object {
  return {
    kind: "Table",
    apiVersion,
    metadata,
    columnDefinitions: columns.map(({ name, type, format = "", description, priority }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
  };
}

function rowObject(
  object: KubeObject,
  apiVersion: string,
  include: IncludeObject,
  whole: () => KubeObject,
): object | null {
  if (include === "None") return null;
  // Without `managedFields`, which would be most of a table's bytes, for nobody who reads tables.
  const { metadata } = object;
  return include === "Object" ? whole() : { kind: "PartialObjectMetadata", apiVersion, metadata };
}

const finished: Readonly<Record<string, string>> = {
  Succeeded: "The pod has completed successfully.",
  Failed: "The pod failed.",
};

/** Rows of finished Pods say so, which lets clients hide them. */
function conditionsOf(object: KubeObject): object {
  if (object.kind !== "Pod") return {};
  const { status } = object as KubeObject & { status?: { phase?: string } };
  const message = finished[status?.phase ?? ""];
  if (message === undefined) return {};
  return { conditions: [{ type: "Completed", status: "True", reason: status?.phase, message }] };
}
