import type { ObjectMeta } from "../../meta/object.ts";
import type { BindingFields } from "../binding.ts";

/** Gives a role of its namespace, or a ClusterRole, within its namespace. */
export interface RoleBinding extends BindingFields {
  apiVersion: "rbac.authorization.k8s.io/v1";
  kind: "RoleBinding";
  metadata: ObjectMeta;
}
