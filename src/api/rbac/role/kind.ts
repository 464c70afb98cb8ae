import type { ObjectMeta } from "../../meta/object.ts";
import type { PolicyRule } from "../rule.ts";

/** What may be done in one namespace. */
export interface Role {
  apiVersion: "rbac.authorization.k8s.io/v1";
  kind: "Role";
  metadata: ObjectMeta;
  rules?: PolicyRule[];
}
