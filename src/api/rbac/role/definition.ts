import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { roleColumns } from "../columns.ts";
import type { Role } from "./kind.ts";
import { validateRole, validateRoleUpdate } from "./validate.ts";

export const roleKind = defineKind<Role>({
  resource: resources.Role,
  singular: "role",
  shortNames: [],
  categories: [],
  versions: [{ group: "rbac.authorization.k8s.io", version: "v1", schema: "rbac.v1.Role" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: true,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults() {},
  validate: validateRole,
  validateUpdate: validateRoleUpdate,
  columns: roleColumns,
});
