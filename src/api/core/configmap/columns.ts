import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, numberColumn } from "../../meta/columns.ts";
import type { ConfigMap } from "./kind.ts";

export const configMapColumns: readonly Column<ConfigMap>[] = [
  nameColumn,
  numberColumn("Data", ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length),
  ageColumn,
];
