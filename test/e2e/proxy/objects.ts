import type { Service, ServicePort, ServiceSpec } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice, type SliceEndpoint } from "#api/discovery/endpointslice/kind.ts";
import type { Family } from "#base/cidr.ts";
import { plans, type podIP } from "./ground.ts";

export type PodName = keyof typeof podIP;

export interface Wanted {
  readonly name: string;
  readonly clusterIP: string;
  /** Of the other family, for a Service of both. */
  readonly secondIP?: string;
  readonly pods: readonly PodName[];
  readonly ports?: readonly ServicePort[];
  readonly spec?: Partial<ServiceSpec>;
  readonly status?: Service["status"];
}

/** The family that a Service of one cluster IP has. */
export function familyOf({ clusterIP }: Pick<Wanted, "clusterIP">): Family {
  return clusterIP.includes(":") ? 6 : 4;
}

export function serviceOf({ name, clusterIP, secondIP, ports = [{ port: 80 }], spec, status }: Wanted): Service {
  const clusterIPs = [clusterIP, ...(secondIP === undefined ? [] : [secondIP])];
  const ipFamilies = clusterIPs.map((address) => `IPv${familyOf({ clusterIP: address })}` as const);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: { type: "ClusterIP", clusterIP, clusterIPs, ipFamilies, ports: [...ports], ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

export function endpointOf(
  pod: PodName,
  conditions: SliceEndpoint["conditions"] = {},
  family: Family = 4,
): SliceEndpoint {
  return { addresses: [plans[family].pods[pod]], nodeName: pod === "pod-c" ? "node-2" : "node-1", conditions };
}

export function sliceOf({
  name,
  clusterIP,
  pods,
  ports = [{ port: 80 }],
}: Pick<Wanted, "name" | "clusterIP" | "pods" | "ports">): EndpointSlice {
  const family = familyOf({ clusterIP });
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-${family}`, namespace: "default", labels: { [serviceNameLabel]: name } },
    addressType: `IPv${family}`,
    endpoints: pods.map((pod) => endpointOf(pod, {}, family)),
    ports: ports.map(({ name = "", protocol = "TCP" }) => ({ name, protocol, port: 8080 })),
  };
}
