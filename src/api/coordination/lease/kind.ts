import type { ObjectMeta } from "../../meta/object.ts";

export interface Lease {
  apiVersion: "coordination.k8s.io/v1";
  kind: "Lease";
  metadata: ObjectMeta;
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    /** MicroTime. */
    acquireTime?: string;
    /** MicroTime. */
    renewTime?: string;
    leaseTransitions?: number;
  };
}
