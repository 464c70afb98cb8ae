import type { Condition } from "../../meta/condition.ts";
import type { ObjectMeta } from "../../meta/object.ts";

/** A range, or one of each family, that Services get their cluster IPs from (KEP-1880). */
export interface ServiceCIDR {
  apiVersion: "networking.k8s.io/v1";
  kind: "ServiceCIDR";
  metadata: ObjectMeta;
  spec: { cidrs?: string[] };
  status?: { conditions?: Condition[] };
}

/** Holds a ServiceCIDR for as long as addresses of its ranges are in use. */
export const serviceCidrFinalizer = "networking.k8s.io/service-cidr-finalizer";

/** The ServiceCIDR that is made of the cluster's own options. */
export const defaultServiceCidr = "kubernetes";
