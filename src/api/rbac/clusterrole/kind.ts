import type { ObjectMeta } from "../../meta/object.ts";
import type { LabelSelector } from "../../meta/selector.ts";
import type { PolicyRule } from "../rule.ts";

/** What may be done in the cluster as a whole, or where a binding says. */
export interface ClusterRole {
  apiVersion: "rbac.authorization.k8s.io/v1";
  kind: "ClusterRole";
  metadata: ObjectMeta;
  rules?: PolicyRule[];
  /** With it, `rules` are those of all the ClusterRoles it selects; a controller writes them. */
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] };
}
