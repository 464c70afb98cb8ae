import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, textColumn } from "../../meta/columns.ts";
import type { Lease } from "./kind.ts";

export const leaseColumns: readonly Column<Lease>[] = [
  nameColumn,
  textColumn("Holder", ({ spec }) => spec?.holderIdentity ?? ""),
  ageColumn,
];
