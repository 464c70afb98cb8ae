import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { serviceCidrColumns } from "./columns.ts";
import type { ServiceCIDR } from "./kind.ts";
import { validateServiceCidr, validateServiceCidrUpdate } from "./validate.ts";

export const serviceCidrKind = defineKind<ServiceCIDR>({
  resource: resources.ServiceCIDR,
  singular: "servicecidr",
  shortNames: [],
  categories: [],
  versions: [{ group: "networking.k8s.io", version: "v1", schema: "networking.v1.ServiceCIDR" }],
  subresources: ["status"],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults(serviceCidr) {
    serviceCidr.spec ??= {};
    serviceCidr.status ??= {};
  },
  prepareCreate(serviceCidr) {
    serviceCidr.status = {};
  },
  validate: validateServiceCidr,
  validateUpdate: validateServiceCidrUpdate,
  columns: serviceCidrColumns,
});
