import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { namespaceColumns } from "./columns.ts";
import { defaultNamespace, prepareNewNamespace } from "./defaults.ts";
import type { Namespace } from "./kind.ts";
import { validateNamespace, validateNamespaceUpdate } from "./validate.ts";

export const namespaceKind = defineKind<Namespace>({
  resource: resources.Namespace,
  singular: "namespace",
  shortNames: ["ns"],
  categories: [],
  versions: [{ group: "", version: "v1", schema: "core.v1.Namespace" }],
  subresources: ["status", "finalize"],
  selectableFields: { "status.phase": ({ status }) => status?.phase ?? "" },
  hasGeneration: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults: defaultNamespace,
  prepareCreate: prepareNewNamespace,
  prepareUpdate(next, before) {
    next.spec = { ...next.spec, finalizers: before.spec?.finalizers };
    next.status = before.status;
  },
  validate: validateNamespace,
  validateUpdate: validateNamespaceUpdate,
  columns: namespaceColumns,
});
