import type { Service, ServicePort } from "#api/core/service/kind.ts";

/** What stands before the number in the claim by which a Service holds a node port; upstream's name for them. */
export const nodePortClaims = "servicenodeports/";

export function usesNodePorts({ spec }: Service): boolean {
  return spec.type === "NodePort" || spec.type === "LoadBalancer";
}

/** A LoadBalancer may do without automatic numbers (KEP-1864); numbers asked for are honoured all the same. */
export function allocatesNodePorts({ spec }: Service): boolean {
  return spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
}

export function needsHealthCheck({ spec }: Service): boolean {
  return spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

export function nodePortsOf(service: Service): number[] {
  if (!usesNodePorts(service)) return [];
  return (service.spec.ports ?? []).map(({ nodePort }: ServicePort) => nodePort ?? 0).filter((port) => port > 0);
}

/** All numbers that a Service holds, that of its health check with them. */
export function heldPorts(service: Service): number[] {
  const { healthCheckNodePort } = service.spec;
  const ports = nodePortsOf(service);
  return needsHealthCheck(service) && healthCheckNodePort ? [...ports, healthCheckNodePort] : ports;
}
