import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { endpointsColumns } from "./columns.ts";
import { defaultEndpoints } from "./defaults.ts";
import type { Endpoints } from "./kind.ts";
import { validateEndpoints, validateEndpointsUpdate } from "./validate.ts";

export const endpointsKind = defineKind<Endpoints>({
  resource: resources.Endpoints,
  singular: "endpoints",
  shortNames: ["ep"],
  categories: [],
  versions: [
    {
      group: "",
      version: "v1",
      schema: "core.v1.Endpoints",
      warning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    },
  ],
  subresources: [],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: true,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults: defaultEndpoints,
  validate: validateEndpoints,
  validateUpdate: validateEndpointsUpdate,
  columns: endpointsColumns,
});
