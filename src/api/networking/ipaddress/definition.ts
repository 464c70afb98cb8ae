import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { ipAddressColumns } from "./columns.ts";
import type { IPAddress } from "./kind.ts";
import { validateIpAddress, validateIpAddressUpdate } from "./validate.ts";

export const ipAddressKind = defineKind<IPAddress>({
  resource: resources.IPAddress,
  singular: "ipaddress",
  shortNames: ["ip"],
  categories: [],
  versions: [{ group: "networking.k8s.io", version: "v1", schema: "networking.v1.IPAddress" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults(address) {
    address.spec ??= {};
  },
  validate: validateIpAddress,
  validateUpdate: validateIpAddressUpdate,
  columns: ipAddressColumns,
});
