import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, numberColumn, textColumn } from "../../meta/columns.ts";
import type { Secret } from "./kind.ts";

export const secretColumns: readonly Column<Secret>[] = [
  nameColumn,
  textColumn("Type", ({ type }) => type ?? ""),
  numberColumn("Data", ({ data }) => Object.keys(data ?? {}).length),
  ageColumn,
];
