import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { defaultBinding } from "../binding.ts";
import { bindingColumns } from "../columns.ts";
import type { RoleBinding } from "./kind.ts";
import { validateRoleBinding, validateRoleBindingUpdate } from "./validate.ts";

export const roleBindingKind = defineKind<RoleBinding>({
  resource: resources.RoleBinding,
  singular: "rolebinding",
  shortNames: [],
  categories: [],
  versions: [{ group: "rbac.authorization.k8s.io", version: "v1", schema: "rbac.v1.RoleBinding" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: true,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults: defaultBinding,
  validate: validateRoleBinding,
  validateUpdate: validateRoleBindingUpdate,
  columns: bindingColumns,
});
