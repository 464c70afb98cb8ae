import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, numberColumn, selectorText, wideColumn } from "../../meta/columns.ts";
import type { ReplicaSet } from "./kind.ts";

const containersOf = ({ spec }: ReplicaSet) => spec.template?.spec.containers ?? [];

export const replicaSetColumns: readonly Column<ReplicaSet>[] = [
  nameColumn,
  numberColumn("Desired", ({ spec }) => spec.replicas ?? 0),
  numberColumn("Current", ({ status }) => status?.replicas ?? 0),
  numberColumn("Ready", ({ status }) => status?.readyReplicas ?? 0),
  ageColumn,
  wideColumn("Containers", (set) =>
    containersOf(set)
      .map(({ name }) => name)
      .join(","),
  ),
  wideColumn("Images", (set) =>
    containersOf(set)
      .map(({ image }) => image ?? "")
      .join(","),
  ),
  wideColumn("Selector", ({ spec }) => selectorText(spec.selector)),
];
