import type { Column } from "../../kind.ts";
import { nameColumn, textColumn } from "../../meta/columns.ts";
import type { IPAddress } from "./kind.ts";

function parentText({ spec: { parentRef } }: IPAddress): string {
  if (parentRef === undefined) return "<none>";
  const { group, resource = "", namespace, name = "" } = parentRef;
  const owner = (group ? `${resource}.${group}` : resource).toLowerCase();
  return [owner, ...(namespace ? [namespace] : []), name].join("/");
}

export const ipAddressColumns: readonly Column<IPAddress>[] = [nameColumn, textColumn("ParentRef", parentText)];
