import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { serviceAccountColumns } from "./columns.ts";
import type { ServiceAccount } from "./kind.ts";
import { validateServiceAccount, validateServiceAccountUpdate } from "./validate.ts";

export const serviceAccountKind = defineKind<ServiceAccount>({
  resource: resources.ServiceAccount,
  singular: "serviceaccount",
  shortNames: ["sa"],
  categories: [],
  versions: [{ group: "", version: "v1", schema: "core.v1.ServiceAccount" }],
  subresources: ["token"],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: true,
  applyDefaults() {},
  validate: validateServiceAccount,
  validateUpdate: validateServiceAccountUpdate,
  columns: serviceAccountColumns,
});
