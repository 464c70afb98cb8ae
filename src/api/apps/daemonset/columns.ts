import type { Column } from "../../kind.ts";
import {
  ageColumn,
  nameColumn,
  numberColumn,
  pairsText,
  selectorText,
  textColumn,
  wideColumn,
} from "../../meta/columns.ts";
import type { DaemonSet } from "./kind.ts";

export const daemonSetColumns: readonly Column<DaemonSet>[] = [
  nameColumn,
  numberColumn("Desired", ({ status }) => status?.desiredNumberScheduled ?? 0),
  numberColumn("Current", ({ status }) => status?.currentNumberScheduled ?? 0),
  numberColumn("Ready", ({ status }) => status?.numberReady ?? 0),
  numberColumn("Up-to-date", ({ status }) => status?.updatedNumberScheduled ?? 0),
  numberColumn("Available", ({ status }) => status?.numberAvailable ?? 0),
  textColumn("Node Selector", ({ spec }) => pairsText(spec.template.spec.nodeSelector)),
  ageColumn,
  wideColumn("Containers", ({ spec }) => spec.template.spec.containers.map(({ name }) => name).join(",")),
  wideColumn("Images", ({ spec }) => spec.template.spec.containers.map(({ image }) => image ?? "").join(",")),
  wideColumn("Selector", ({ spec }) => selectorText(spec.selector)),
];
