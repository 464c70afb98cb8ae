import { isReachableFromOutside } from "./defaults.ts";
import type { Service, ServicePort, ServiceSpec } from "./kind.ts";

/** A client may not set status; the address family fields are filled in before anything is allocated. */
export function prepareNewService(service: Service): void {
  service.status = { loadBalancer: {} };
  const { spec } = service;
  if (needsClusterIp(spec) && spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
  fillFamilies(spec);
}

/**
 * What an update leaves out although the server gave it is kept, and what belongs to a type the Service no longer has
 * is dropped where the client left it as it was (upstream: `patchAllocatedValues`, `dropTypeDependentFields`).
 */
export function prepareServiceUpdate(next: Service, before: Service): void {
  next.status = next.spec.type === "LoadBalancer" ? before.status : { ...before.status, loadBalancer: {} };
  normalizeClusterIps(next.spec, before.spec);
  keepAllocated(next.spec, before.spec);
  dropTypeDependent(next.spec, before.spec);
  fillFamilies(next.spec, before.spec);
}

/** Everything but status and metadata stays as it is. */
export function prepareServiceStatus(next: Service, before: Service): void {
  next.spec = before.spec;
}

function needsClusterIp({ type }: ServiceSpec): boolean {
  return type !== "ExternalName";
}

export function needsNodePort({ type }: ServiceSpec): boolean {
  return type === "NodePort" || type === "LoadBalancer";
}

/** Whether load balancers ask the node which Services have local endpoints. */
export function needsHealthCheckPort({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === "LoadBalancer" && externalTrafficPolicy === "Local";
}

/** Old clients write `clusterIP` only; what they changed there is meant for `clusterIPs` as well. */
function normalizeClusterIps(next: ServiceSpec, before: ServiceSpec): void {
  const listUntouched = sameList(next.clusterIPs, before.clusterIPs);
  if (!next.clusterIP && before.clusterIP && listUntouched) delete next.clusterIPs;
  else if (next.clusterIP && next.clusterIP !== before.clusterIP && listUntouched) {
    next.clusterIPs = [next.clusterIP, ...(next.clusterIPs ?? []).slice(1)];
  }
}

function keepAllocated(next: ServiceSpec, before: ServiceSpec): void {
  if (needsClusterIp(next) && needsClusterIp(before)) {
    if (!next.clusterIP && !next.clusterIPs?.length) {
      assign(next, "clusterIP", before.clusterIP);
      assign(next, "clusterIPs", before.clusterIPs);
    } else if (next.clusterIP && !next.clusterIPs?.length) {
      next.clusterIPs =
        next.clusterIP === before.clusterIP ? (before.clusterIPs ?? [next.clusterIP]) : [next.clusterIP];
    }
  }
  if (needsNodePort(next) && needsNodePort(before)) keepNodePorts(next.ports ?? [], before.ports ?? []);
  if (needsHealthCheckPort(next) && needsHealthCheckPort(before) && !next.healthCheckNodePort) {
    assign(next, "healthCheckNodePort", before.healthCheckNodePort);
  }
}

function keepNodePorts(next: readonly ServicePort[], before: readonly ServicePort[]): void {
  const taken = new Set(next.map(({ nodePort }) => nodePort).filter((number) => number));
  const free = (port: ServicePort | undefined) => port?.nodePort && !taken.has(port.nodePort);
  for (const port of next) {
    if (port.nodePort) continue;
    const same = before.find((old) => old.port === port.port && old.protocol === port.protocol);
    const named = before.find((old) => port.name && old.name === port.name && old.protocol === port.protocol);
    const source = free(same) ? same : free(named) ? named : undefined;
    if (source?.nodePort === undefined) continue;
    port.nodePort = source.nodePort;
    taken.add(source.nodePort);
  }
}

function dropTypeDependent(next: ServiceSpec, before: ServiceSpec): void {
  if (needsClusterIp(before) && !needsClusterIp(next)) {
    if (next.clusterIP === before.clusterIP) delete next.clusterIP;
    if (sameList(next.clusterIPs, before.clusterIPs)) delete next.clusterIPs;
    if (sameList(next.ipFamilies, before.ipFamilies)) delete next.ipFamilies;
    if (next.ipFamilyPolicy === before.ipFamilyPolicy) delete next.ipFamilyPolicy;
    if (next.internalTrafficPolicy === before.internalTrafficPolicy) delete next.internalTrafficPolicy;
  }
  if (needsNodePort(before) && !needsNodePort(next)) {
    const old = before.ports ?? [];
    const samePorts = (next.ports ?? []).length === old.length;
    for (const [index, port] of (next.ports ?? []).entries()) {
      if (samePorts && port.nodePort === old[index]?.nodePort) delete port.nodePort;
    }
  }
  if (needsHealthCheckPort(before) && !needsHealthCheckPort(next)) dropUnchanged(next, before, "healthCheckNodePort");
  if (before.type === "LoadBalancer" && next.type !== "LoadBalancer") {
    dropUnchanged(next, before, "allocateLoadBalancerNodePorts");
    dropUnchanged(next, before, "loadBalancerClass");
  }
  if (isReachableFromOutside(before) && !isReachableFromOutside(next)) {
    dropUnchanged(next, before, "externalTrafficPolicy");
  }
}

/** One family, unless the Service asks for more or is headless without a selector and thus for anyone to fill. */
function fillFamilies(next: ServiceSpec, before?: ServiceSpec): void {
  if (!needsClusterIp(next)) return;
  if (before !== undefined && needsClusterIp(before)) {
    if (!next.ipFamilies?.length) assign(next, "ipFamilies", before.ipFamilies);
    if (!next.ipFamilyPolicy) assign(next, "ipFamilyPolicy", before.ipFamilyPolicy);
  }
  const headless = next.clusterIP === "None" || next.clusterIPs?.[0] === "None";
  const selectorless = Object.keys(next.selector ?? {}).length === 0;
  if (headless && selectorless) {
    next.ipFamilyPolicy ??= next.ipFamilies?.length === 1 ? "SingleStack" : "RequireDualStack";
    if (next.ipFamilyPolicy !== "SingleStack" && !next.ipFamilies?.length) next.ipFamilies = ["IPv4", "IPv6"];
  }
  next.ipFamilyPolicy ??= "SingleStack";
  if (!next.ipFamilies?.length) next.ipFamilies = [next.clusterIP?.includes(":") ? "IPv6" : "IPv4"];
}

function dropUnchanged(next: ServiceSpec, before: ServiceSpec, field: keyof ServiceSpec): void {
  if (next[field] === before[field]) delete next[field];
}

function assign<K extends keyof ServiceSpec>(spec: ServiceSpec, field: K, value: ServiceSpec[K]): void {
  if (value !== undefined) spec[field] = value;
}

function sameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return (a ?? []).join() === (b ?? []).join();
}
