import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, textColumn } from "../../meta/columns.ts";
import type { Namespace } from "./kind.ts";

export const namespaceColumns: readonly Column<Namespace>[] = [
  nameColumn,
  textColumn("Status", ({ status }) => status?.phase ?? ""),
  ageColumn,
];
