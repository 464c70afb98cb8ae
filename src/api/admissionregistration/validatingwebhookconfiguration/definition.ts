import { defineKind } from "../../kind.ts";
import { ageColumn, nameColumn, numberColumn } from "../../meta/columns.ts";
import { resources } from "../../resources.ts";
import { defaultWebhooks } from "./defaults.ts";
import type { ValidatingWebhookConfiguration } from "./kind.ts";
import { validateConfiguration, validateConfigurationUpdate } from "./validate.ts";

export const validatingWebhookConfigurationKind = defineKind<ValidatingWebhookConfiguration>({
  resource: resources.ValidatingWebhookConfiguration,
  singular: "validatingwebhookconfiguration",
  shortNames: [],
  categories: ["api-extensions"],
  versions: [
    {
      group: "admissionregistration.k8s.io",
      version: "v1",
      schema: "admissionregistration.v1.ValidatingWebhookConfiguration",
    },
  ],
  subresources: [],
  selectableFields: {},
  hasGeneration: true,
  createOnUpdate: false,
  unconditionalUpdate: false,
  deleteReturnsObject: false,
  applyDefaults: defaultWebhooks,
  validate: validateConfiguration,
  validateUpdate: validateConfigurationUpdate,
  columns: [nameColumn, numberColumn("Webhooks", ({ webhooks }) => webhooks?.length ?? 0), ageColumn],
});
