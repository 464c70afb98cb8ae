import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, textColumn } from "../../meta/columns.ts";
import type { ServiceCIDR } from "./kind.ts";

export const serviceCidrColumns: readonly Column<ServiceCIDR>[] = [
  nameColumn,
  textColumn("CIDRs", ({ spec }) => (spec.cidrs ?? []).join(",")),
  ageColumn,
];
