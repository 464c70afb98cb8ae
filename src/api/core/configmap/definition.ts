import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { configMapColumns } from "./columns.ts";
import type { ConfigMap } from "./kind.ts";
import { validateConfigMap, validateConfigMapUpdate } from "./validate.ts";

export const configMapKind = defineKind<ConfigMap>({
  resource: resources.ConfigMap,
  singular: "configmap",
  shortNames: ["cm"],
  categories: [],
  versions: [{ group: "", version: "v1", schema: "core.v1.ConfigMap" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults() {},
  validate: validateConfigMap,
  validateUpdate: validateConfigMapUpdate,
  columns: configMapColumns,
});
