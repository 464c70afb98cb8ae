import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { serviceColumns } from "./columns.ts";
import { defaultService } from "./defaults.ts";
import type { Service } from "./kind.ts";
import { prepareNewService, prepareServiceStatus, prepareServiceUpdate } from "./prepare.ts";
import { validateServiceUpdate } from "./validate-update.ts";
import { validateService } from "./validate.ts";
import { warnAboutService } from "./warn.ts";

export const serviceKind = defineKind<Service>({
  resource: resources.Service,
  singular: "service",
  shortNames: ["svc"],
  categories: ["all"],
  versions: [{ group: "", version: "v1", schema: "core.v1.Service" }],
  subresources: ["status"],
  selectableFields: {
    "spec.clusterIP": ({ spec }) => spec.clusterIP ?? "",
    "spec.type": ({ spec }) => spec.type ?? "",
  },
  hasGeneration: false,
  createOnUpdate: true,
  unconditionalUpdate: true,
  deleteReturnsObject: true,
  applyDefaults: defaultService,
  prepareCreate: prepareNewService,
  prepareUpdate: prepareServiceUpdate,
  prepareStatusUpdate: prepareServiceStatus,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  warnings: warnAboutService,
  columns: serviceColumns,
});
