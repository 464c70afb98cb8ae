import type { ObjectMeta } from "../../meta/object.ts";
import type { BindingFields } from "../binding.ts";

/** Gives a ClusterRole, everywhere. */
export interface ClusterRoleBinding extends BindingFields {
  apiVersion: "rbac.authorization.k8s.io/v1";
  kind: "ClusterRoleBinding";
  metadata: ObjectMeta;
}
