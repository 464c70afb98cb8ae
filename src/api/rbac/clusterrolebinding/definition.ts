import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { defaultBinding } from "../binding.ts";
import { bindingColumns } from "../columns.ts";
import type { ClusterRoleBinding } from "./kind.ts";
import { validateClusterRoleBinding, validateClusterRoleBindingUpdate } from "./validate.ts";

export const clusterRoleBindingKind = defineKind<ClusterRoleBinding>({
  resource: resources.ClusterRoleBinding,
  singular: "clusterrolebinding",
  shortNames: [],
  categories: [],
  versions: [{ group: "rbac.authorization.k8s.io", version: "v1", schema: "rbac.v1.ClusterRoleBinding" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: true,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults: defaultBinding,
  validate: validateClusterRoleBinding,
  validateUpdate: validateClusterRoleBindingUpdate,
  columns: bindingColumns,
});
