import type { Condition } from "../../meta/condition.ts";
import type { ObjectMeta } from "../../meta/object.ts";

export interface Namespace {
  apiVersion: "v1";
  kind: "Namespace";
  metadata: ObjectMeta;
  spec?: { finalizers?: string[] };
  status?: { phase?: "Active" | "Terminating"; conditions?: Condition[] };
}
