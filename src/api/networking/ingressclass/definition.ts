import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { ingressClassColumns } from "./columns.ts";
import type { IngressClass } from "./kind.ts";
import { validateIngressClass, validateIngressClassUpdate } from "./validate.ts";

export const ingressClassKind = defineKind<IngressClass>({
  resource: resources.IngressClass,
  singular: "ingressclass",
  shortNames: [],
  categories: [],
  versions: [{ group: "networking.k8s.io", version: "v1", schema: "networking.v1.IngressClass" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: true,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults(ingressClass) {
    ingressClass.spec ??= {};
    if (ingressClass.spec.parameters !== undefined) ingressClass.spec.parameters.scope ||= "Cluster";
  },
  validate: validateIngressClass,
  validateUpdate: validateIngressClassUpdate,
  columns: ingressClassColumns,
});
