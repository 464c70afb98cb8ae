import type { Namespace } from "#api/core/namespace/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import {
  serviceNameLabel,
  triggerTimeAnnotation,
  type EndpointSlice,
  type SliceEndpoint,
} from "#api/discovery/endpointslice/kind.ts";
import type { ObjectMeta } from "#api/meta/object.ts";

/**
 * What names are made of, and nothing else of the objects: for a copy of a cluster's objects that serves nothing but
 * names. A large cluster's slices shrink to a third.
 */
export const trimForNames = { Namespace: namespace, Service: service, EndpointSlice: slice, Pod: pod };

const notReady = { ready: false } as const;

function namespace({ apiVersion, kind, metadata }: Namespace): Namespace {
  return { apiVersion, kind, metadata: trimMeta(metadata) };
}

function service({ apiVersion, kind, metadata, spec }: Service): Service {
  const { type, clusterIP, clusterIPs, externalName, ports } = spec;
  const kept = ports?.map(({ name, protocol, port }) => ({ ...(name && { name }), protocol, port }));
  const addresses = clusterIPs?.length ? { clusterIPs } : { clusterIP };
  // Only whether there is one: it tells kinds of headless Services apart.
  const selector = clusterIP === "None" && spec.selector ? { selector: spec.selector } : undefined;
  const external = type === "ExternalName" ? { externalName } : undefined;
  return {
    apiVersion,
    kind,
    metadata: trimMeta(metadata),
    spec: { type, ...addresses, ...external, ...selector, ports: kept },
  };
}

function slice({ apiVersion, kind, metadata, addressType, endpoints, ports }: EndpointSlice): EndpointSlice {
  const owner = metadata.labels?.[serviceNameLabel];
  const changed = metadata.annotations?.[triggerTimeAnnotation];
  return {
    apiVersion,
    kind,
    metadata: {
      ...trimMeta(metadata),
      ...(owner !== undefined && { labels: { [serviceNameLabel]: owner } }),
      ...(changed !== undefined && { annotations: { [triggerTimeAnnotation]: changed } }),
    },
    addressType,
    // Some servers answer null for none.
    endpoints: (endpoints ?? []).map(endpoint),
    ports,
  };
}

function endpoint({ addresses, conditions, hostname, targetRef }: SliceEndpoint): SliceEndpoint {
  return {
    addresses,
    ...(conditions?.ready === false && { conditions: notReady }),
    ...(hostname !== undefined && { hostname }),
    // Endpoints may be called by their pods.
    ...(targetRef?.name !== undefined && { targetRef: { name: targetRef.name } }),
  };
}

function pod({ apiVersion, kind, metadata, spec, status }: Pod): Pod {
  const { hostNetwork } = spec;
  const { phase, podIP, podIPs } = status ?? {};
  return {
    apiVersion,
    kind,
    metadata: trimMeta(metadata),
    spec: { containers: [], ...(hostNetwork && { hostNetwork }) },
    status: { phase, podIP, podIPs },
  };
}

function trimMeta({ name, namespace, resourceVersion, deletionTimestamp }: ObjectMeta): ObjectMeta {
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    resourceVersion,
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
  };
}
