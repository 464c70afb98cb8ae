import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { deploymentColumns } from "./columns.ts";
import { defaultDeployment } from "./defaults.ts";
import type { Deployment } from "./kind.ts";
import { validateDeployment, validateDeploymentUpdate } from "./validate.ts";

export const deploymentKind = defineKind<Deployment>({
  resource: resources.Deployment,
  singular: "deployment",
  shortNames: ["deploy"],
  categories: ["all"],
  versions: [{ group: "apps", version: "v1", schema: "apps.v1.Deployment" }],
  subresources: ["status", "scale"],
  selectableFields: {},
  hasGeneration: true,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults(deployment) {
    completeDeployment(deployment);
    defaultDeployment(deployment);
  },
  prepareCreate(deployment) {
    deployment.status = {};
  },
  prepareUpdate(next, before) {
    next.status = before.status;
  },
  validate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
  columns: deploymentColumns,
});

/** Stands in for parts that a client left out, so that validation can name them instead of failing on them. */
function completeDeployment(deployment: Deployment): void {
  deployment.spec ??= {} as Deployment["spec"];
  deployment.spec.template ??= { spec: { containers: [] } };
  deployment.spec.template.spec ??= { containers: [] };
  deployment.status ??= {};
}
