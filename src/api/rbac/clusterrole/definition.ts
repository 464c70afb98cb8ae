import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { roleColumns } from "../columns.ts";
import type { ClusterRole } from "./kind.ts";
import { validateClusterRole, validateClusterRoleUpdate } from "./validate.ts";

export const clusterRoleKind = defineKind<ClusterRole>({
  resource: resources.ClusterRole,
  singular: "clusterrole",
  shortNames: [],
  categories: [],
  versions: [{ group: "rbac.authorization.k8s.io", version: "v1", schema: "rbac.v1.ClusterRole" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: true,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults() {},
  validate: validateClusterRole,
  validateUpdate: validateClusterRoleUpdate,
  columns: roleColumns,
});
