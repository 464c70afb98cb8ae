import type { Service, ServiceSpec } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice, type SliceEndpoint } from "#api/discovery/endpointslice/kind.ts";

export function service(name: string, spec: ServiceSpec = {}, resourceVersion = "1"): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "dev", name, resourceVersion },
    spec: { type: "ClusterIP", clusterIP: "10.96.0.10", ports: [{ port: 80 }], ...spec },
  };
}

export function slice(
  service: string,
  endpoints: readonly (string | SliceEndpoint)[],
  {
    name = `${service}-1`,
    resourceVersion = "1",
    addressType = "IPv4",
    ports = [{ name: "", port: 8080 }],
  }: {
    name?: string;
    resourceVersion?: string;
    addressType?: EndpointSlice["addressType"];
    ports?: EndpointSlice["ports"];
  } = {},
): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: "dev", name, resourceVersion, labels: { [serviceNameLabel]: service } },
    addressType,
    endpoints: endpoints.map((endpoint) => (typeof endpoint === "string" ? { addresses: [endpoint] } : endpoint)),
    ports,
  };
}
