import type { Service, ServicePort, ServiceSpec } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice, type SliceEndpoint } from "#api/discovery/endpointslice/kind.ts";
import { podIP } from "./ground.ts";

export type PodName = keyof typeof podIP;

export interface Wanted {
  readonly name: string;
  readonly clusterIP: string;
  readonly pods: readonly PodName[];
  readonly ports?: readonly ServicePort[];
  readonly spec?: Partial<ServiceSpec>;
  readonly status?: Service["status"];
}

export function serviceOf({ name, clusterIP, ports = [{ port: 80 }], spec, status }: Wanted): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: { type: "ClusterIP", clusterIP, clusterIPs: [clusterIP], ports: [...ports], ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

export function endpointOf(pod: PodName, conditions: SliceEndpoint["conditions"] = {}): SliceEndpoint {
  return { addresses: [podIP[pod]], nodeName: pod === "pod-c" ? "node-2" : "node-1", conditions };
}

export function sliceOf({
  name,
  pods,
  ports = [{ port: 80 }],
}: Pick<Wanted, "name" | "pods" | "ports">): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-1`, namespace: "default", labels: { [serviceNameLabel]: name } },
    addressType: "IPv4",
    endpoints: pods.map((pod) => endpointOf(pod)),
    ports: ports.map(({ name = "", protocol = "TCP" }) => ({ name, protocol, port: 8080 })),
  };
}
