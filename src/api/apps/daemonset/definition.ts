import { defineKind } from "../../kind.ts";
import { sameValue } from "../../meta/field-errors.ts";
import { resources } from "../../resources.ts";
import { daemonSetColumns } from "./columns.ts";
import { defaultDaemonSet, noneScheduled } from "./defaults.ts";
import { templateGenerationAnnotation, type DaemonSet } from "./kind.ts";
import { validateDaemonSet, validateDaemonSetUpdate } from "./validate.ts";

export const daemonSetKind = defineKind<DaemonSet>({
  resource: resources.DaemonSet,
  singular: "daemonset",
  shortNames: ["ds"],
  categories: ["all"],
  versions: [{ group: "apps", version: "v1", schema: "apps.v1.DaemonSet" }],
  subresources: ["status"],
  selectableFields: {},
  hasGeneration: true,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults: defaultDaemonSet,
  prepareCreate(set) {
    set.status = noneScheduled();
    set.metadata.annotations = { ...set.metadata.annotations, [templateGenerationAnnotation]: "1" };
  },
  prepareUpdate(next, before) {
    next.status = before.status;
    const generation = Number(before.metadata.annotations?.[templateGenerationAnnotation] ?? 1);
    const changed = !sameValue(next.spec.template, before.spec.template);
    const value = String(changed ? generation + 1 : generation);
    next.metadata.annotations = { ...next.metadata.annotations, [templateGenerationAnnotation]: value };
  },
  validate: validateDaemonSet,
  validateUpdate: validateDaemonSetUpdate,
  columns: daemonSetColumns,
});
