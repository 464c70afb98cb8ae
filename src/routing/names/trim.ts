import type { Namespace } from "#api/core/namespace/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { serviceNameLabel, triggerTimeAnnotation, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { ObjectMeta } from "#api/meta/object.ts";
import { packService, packSlice } from "./packed-objects.ts";

/**
 * What names are made of, and nothing else of the objects: for a copy of a cluster's objects that serves nothing but
 * names. Those that a large cluster has tens of thousands of are kept packed and read like any other.
 */
export const trimForNames = {
  Namespace: namespace,
  Service: (whole: Service) => packService(service(whole)),
  EndpointSlice: (whole: EndpointSlice) => packSlice({ ...whole, metadata: sliceMeta(whole.metadata) }),
  Pod: pod,
};

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

/** With what tells whose it is, and when its pods changed. */
function sliceMeta(metadata: ObjectMeta): ObjectMeta {
  const owner = metadata.labels?.[serviceNameLabel];
  const changed = metadata.annotations?.[triggerTimeAnnotation];
  return {
    ...trimMeta(metadata),
    ...(owner !== undefined && { labels: { [serviceNameLabel]: owner } }),
    ...(changed !== undefined && { annotations: { [triggerTimeAnnotation]: changed } }),
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
