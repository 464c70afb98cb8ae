import { managedByLabel, serviceNameLabel } from "#api/discovery/endpointslice/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { OwnerReference } from "#api/meta/object.ts";
import { isHeadless } from "../pods/endpoint.ts";

export const sliceManager = "endpointslice-controller.k8s.io";
export const headlessLabel = "service.kubernetes.io/headless";

const reserved: ReadonlySet<string> = new Set([serviceNameLabel, managedByLabel, headlessLabel]);

/** The Service's own labels without the reserved ones, and the reserved ones as they must be. */
export function sliceLabels(service: Service): Record<string, string> {
  const own = Object.entries(service.metadata.labels ?? {}).filter(([key]) => !reserved.has(key));
  return {
    ...Object.fromEntries(own),
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: sliceManager,
    ...(isHeadless(service) && { [headlessLabel]: "" }),
  };
}

export function serviceOwner({ metadata }: Service): OwnerReference {
  const { name, uid = "" } = metadata;
  return { apiVersion: "v1", kind: "Service", name, uid, controller: true, blockOwnerDeletion: true };
}
