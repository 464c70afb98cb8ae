import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { endpointSliceColumns } from "./columns.ts";
import { defaultEndpointSlice } from "./defaults.ts";
import type { EndpointSlice } from "./kind.ts";
import { validateEndpointSlice, validateEndpointSliceUpdate } from "./validate.ts";

export const endpointSliceKind = defineKind<EndpointSlice>({
  resource: resources.EndpointSlice,
  singular: "endpointslice",
  shortNames: [],
  categories: [],
  versions: [{ group: "discovery.k8s.io", version: "v1", schema: "discovery.v1.EndpointSlice" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: true,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults: defaultEndpointSlice,
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
  columns: endpointSliceColumns,
});
