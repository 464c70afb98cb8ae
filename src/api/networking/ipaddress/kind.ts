import type { ObjectMeta } from "../../meta/object.ts";

/** One address that is taken, and by whom; its name is the address in canonical form (KEP-1880). */
export interface IPAddress {
  apiVersion: "networking.k8s.io/v1";
  kind: "IPAddress";
  metadata: ObjectMeta;
  spec: { parentRef?: ParentReference };
}

export interface ParentReference {
  group?: string;
  resource?: string;
  namespace?: string;
  name?: string;
}

export const ipFamilyLabel = "ipaddress.kubernetes.io/ip-family";
export const ipManagedByLabel = "ipaddress.kubernetes.io/managed-by";
/** The value of `ipManagedByLabel` on the addresses of Services. */
export const ipAllocatorName = "ipallocator.k8s.io";
