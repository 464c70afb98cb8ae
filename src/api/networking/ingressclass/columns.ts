import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, textColumn } from "../../meta/columns.ts";
import { isDefaultClass, type IngressClass } from "./kind.ts";

function parametersText({ spec: { parameters } }: IngressClass): string {
  if (parameters === undefined) return "<none>";
  const { apiGroup, kind, name } = parameters;
  return `${kind}${apiGroup ? `.${apiGroup}` : ""}/${name}`;
}

export const ingressClassColumns: readonly Column<IngressClass>[] = [
  {
    ...nameColumn,
    cell: (ingressClass) => `${ingressClass.metadata.name}${isDefaultClass(ingressClass) ? " (default)" : ""}`,
  },
  textColumn("Controller", ({ spec }) => spec.controller ?? ""),
  textColumn("Parameters", parametersText),
  ageColumn,
];
