import type { ObjectReference } from "#api/core/endpoints/kind.ts";
import type { IpFamily, Service, ServicePort } from "#api/core/service/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { matchesPairs } from "#api/meta/selector.ts";
import { isReady, isTerminal } from "./state.ts";

/** A service port as one pod serves it. */
export interface ResolvedPort {
  readonly name: string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly port: number;
  readonly appProtocol?: string;
}

/** Whether pods are chosen for this Service by its selector. */
export function selectsPods({ spec }: Service): boolean {
  return spec.type !== "ExternalName" && spec.selector !== undefined && Object.keys(spec.selector).length > 0;
}

export function serviceSelects(service: Service, pod: Pod): boolean {
  return selectsPods(service) && matchesPairs(service.spec.selector ?? {}, pod.metadata.labels);
}

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === "None";
}

/** The pod's first address of a family. */
export function podAddress(pod: Pod, family: IpFamily): string | undefined {
  const all = [...(pod.status?.podIPs ?? []).map(({ ip }) => ip), pod.status?.podIP];
  return all.find((ip) => ip !== undefined && ip !== "" && ip.includes(":") === (family === "IPv6"));
}

/**
 * The Service's ports as this pod serves them: a named target is looked up in the pod's containers, then in its
 * sidecars, with the same protocol; a port whose name no container has is left out.
 */
export function resolvePorts(service: Service, pod: Pod): ResolvedPort[] {
  const resolved: ResolvedPort[] = [];
  for (const entry of service.spec.ports ?? []) {
    const { name = "", protocol = "TCP", appProtocol } = entry;
    const port = targetPortOf(entry, pod);
    if (port !== undefined) resolved.push({ name, protocol, port, ...(appProtocol !== undefined && { appProtocol }) });
  }
  return resolved;
}

function targetPortOf({ port, targetPort = port, protocol = "TCP" }: ServicePort, pod: Pod): number | undefined {
  if (typeof targetPort === "number") return targetPort || port;
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const found = container.ports?.find((each) => each.name === targetPort && (each.protocol ?? "TCP") === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** A pod has a DNS name of its own only in the headless Service that its `subdomain` names. */
export function hostnameIn(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec;
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

export function podReference(pod: Pod): ObjectReference {
  const { namespace, name, uid } = pod.metadata;
  return { kind: "Pod", ...(namespace !== undefined && { namespace }), name, ...(uid !== undefined && { uid }) };
}

/** All of a pod that endpoints are made of, besides its labels: equal texts mean that no endpoint changed. */
export function endpointFingerprint(pod: Pod): string {
  const { spec, status, metadata } = pod;
  const ips = [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)];
  const state = [isReady(pod), isTerminal(pod), metadata.deletionTimestamp !== undefined, metadata.uid];
  return JSON.stringify([ips, state, spec.nodeName, spec.hostname, spec.subdomain]);
}
