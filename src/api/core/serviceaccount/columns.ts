import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn } from "../../meta/columns.ts";
import type { ServiceAccount } from "./kind.ts";

export const serviceAccountColumns: readonly Column<ServiceAccount>[] = [nameColumn, ageColumn];
