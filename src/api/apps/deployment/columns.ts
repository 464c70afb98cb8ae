import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, numberColumn, selectorText, textColumn, wideColumn } from "../../meta/columns.ts";
import type { Deployment } from "./kind.ts";

export const deploymentColumns: readonly Column<Deployment>[] = [
  nameColumn,
  textColumn("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
  numberColumn("Up-to-date", ({ status }) => status?.updatedReplicas ?? 0),
  numberColumn("Available", ({ status }) => status?.availableReplicas ?? 0),
  ageColumn,
  wideColumn("Containers", ({ spec }) => spec.template.spec.containers.map(({ name }) => name).join(",")),
  wideColumn("Images", ({ spec }) => spec.template.spec.containers.map(({ image }) => image ?? "").join(",")),
  wideColumn("Selector", ({ spec }) => selectorText(spec.selector)),
];
