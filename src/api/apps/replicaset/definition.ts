import { defaultPodTemplate } from "../../core/pod/defaults.ts";
import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { replicaSetColumns } from "./columns.ts";
import type { ReplicaSet } from "./kind.ts";
import { validateReplicaSet, validateReplicaSetUpdate } from "./validate.ts";

export const replicaSetKind = defineKind<ReplicaSet>({
  resource: resources.ReplicaSet,
  singular: "replicaset",
  shortNames: ["rs"],
  categories: ["all"],
  versions: [{ group: "apps", version: "v1", schema: "apps.v1.ReplicaSet" }],
  subresources: ["status", "scale"],
  selectableFields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
  hasGeneration: true,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults(set) {
    set.spec ??= {} as ReplicaSet["spec"];
    set.spec.replicas ??= 1;
    set.spec.template ??= { spec: { containers: [] } };
    set.spec.template.spec ??= { containers: [] };
    set.status ??= { replicas: 0 };
    defaultPodTemplate(set.spec.template);
  },
  prepareCreate(set) {
    set.status = { replicas: 0 };
  },
  prepareUpdate(next, before) {
    next.status = before.status;
  },
  validate: validateReplicaSet,
  validateUpdate: validateReplicaSetUpdate,
  columns: replicaSetColumns,
});
