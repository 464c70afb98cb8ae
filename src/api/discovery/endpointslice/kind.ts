import type { ObjectReference } from "../../core/endpoints/kind.ts";
import type { Protocol } from "../../core/pod/kind.ts";
import type { ObjectMeta } from "../../meta/object.ts";

export interface EndpointSlice {
  apiVersion: "discovery.k8s.io/v1";
  kind: "EndpointSlice";
  metadata: ObjectMeta;
  addressType: "IPv4" | "IPv6" | "FQDN";
  endpoints: SliceEndpoint[];
  ports?: SlicePort[];
}

export interface SliceEndpoint {
  addresses: string[];
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
  hostname?: string;
  nodeName?: string;
  zone?: string;
  targetRef?: ObjectReference;
  hints?: { forZones?: { name: string }[]; forNodes?: { name: string }[] };
}

export interface SlicePort {
  name?: string;
  port?: number;
  protocol?: Protocol;
  appProtocol?: string;
}

/** The label that ties a slice to its Service (discovery/v1 `LabelServiceName`). */
export const serviceNameLabel = "kubernetes.io/service-name";
/** The label that names the slice's keeper (discovery/v1 `LabelManagedBy`). */
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
/** When the change of pods happened that a slice's last write brings, RFC 3339 (core/v1 `EndpointsLastChangeTriggerTime`). */
export const triggerTimeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";
