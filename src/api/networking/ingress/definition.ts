import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { ingressColumns } from "./columns.ts";
import type { Ingress } from "./kind.ts";
import { errorToLegacy, ingressFromLegacy, ingressToLegacy } from "./legacy.ts";
import { validateIngress, validateIngressUpdate, validateNewIngress, warnAboutIngress } from "./validate.ts";

const removed = "unavailable in v1.22+; use networking.k8s.io/v1 Ingress";

export const ingressKind = defineKind<Ingress>({
  resource: resources.Ingress,
  singular: "ingress",
  shortNames: ["ing"],
  categories: [],
  versions: [
    { group: "networking.k8s.io", version: "v1", schema: "networking.v1.Ingress" },
    {
      group: "networking.k8s.io",
      version: "v1beta1",
      schema: "networking.v1beta1.Ingress",
      warning: `networking.k8s.io/v1beta1 Ingress is deprecated in v1.19+, ${removed}`,
      toStored: ingressFromLegacy,
      fromStored: (ingress) => ingressToLegacy(ingress, "networking.k8s.io/v1beta1"),
      translateError: errorToLegacy,
    },
    {
      group: "extensions",
      version: "v1beta1",
      schema: "extensions.v1beta1.Ingress",
      shortNames: [],
      warning: `extensions/v1beta1 Ingress is deprecated in v1.14+, ${removed}`,
      toStored: ingressFromLegacy,
      fromStored: (ingress) => ingressToLegacy(ingress, "extensions/v1beta1"),
      translateError: errorToLegacy,
    },
  ],
  subresources: ["status"],
  selectableFields: {},
  hasGeneration: true,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults(ingress) {
    ingress.spec ??= {};
    ingress.status ??= {};
    ingress.status.loadBalancer ??= {};
  },
  prepareCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  prepareUpdate(next, before) {
    next.status = before.status;
  },
  validate: validateIngress,
  validateCreate: validateNewIngress,
  validateUpdate: validateIngressUpdate,
  warnings: warnAboutIngress,
  columns: ingressColumns,
});
