import { canonicalAddress, parseAddress, parseCidr, type Family } from "#base/cidr.ts";
import type { Service, ServicePort } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { sourceOf, type Problem } from "../because.ts";
import { gatherEndpoints } from "./endpoints.ts";
import type { ServicePortEntry, ServiceTable } from "./table.ts";

/** A Service or slice that carries it is some other proxy's (apis/core `LabelServiceProxyName`). */
export const proxyNameLabel = "service.kubernetes.io/service-proxy-name";
const headlessLabel = "service.kubernetes.io/headless";
const sourceRangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
/** ClientIP affinity without a timeout (apis/core `DefaultClientIPServiceAffinitySeconds`). */
const defaultAffinitySeconds = 10_800;
/** A range no packet comes from: stands for "ranges were given, and none is of this family", which closes the address. */
const nowhere: Readonly<Record<Family, string>> = { 4: "255.255.255.255/32", 6: "ffff::/128" };

export interface CompiledService {
  readonly ports: readonly ServicePortEntry[];
  readonly problems: readonly Problem[];
  /** Set when the Service is not this proxy's to serve at all, which is no fault: headless, ExternalName, … */
  readonly skipped?: Problem;
}

/** The service port entries of one Service over its slices; slices of other Services must not be among them. Pure. */
export function compileService(
  service: Service,
  slices: readonly EndpointSlice[],
  family: Family = 4,
): CompiledService {
  const skipped = whySkipped(service, family);
  if (skipped !== undefined) return { ports: [], problems: [], skipped };
  const problems: Problem[] = [];
  const shared = addressesOf(service, family, problems);
  const used = slices.filter((slice) => slice.addressType === `IPv${family}` && !isForeignSlice(slice));
  const ports = (service.spec.ports ?? []).map((port, index) => {
    const field = `spec.ports[${index}]`;
    const { endpoints, because, problems: ofPort } = gatherEndpoints(service, port, field, used);
    problems.push(...ofPort);
    return { ...shared, ...portFacts(service, port), endpoints, because };
  });
  return { ports, problems };
}

/** The whole table at once, as the incremental compiler would have it. */
export function compileTable(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  family: Family = 4,
): ServiceTable {
  const byService = Map.groupBy(slices, (slice) => serviceKeyOfSlice(slice));
  const ports = new Map<string, ServicePortEntry>();
  const problems: Problem[] = [];
  let revision = "0";
  for (const service of services) {
    const key = `${service.metadata.namespace ?? ""}/${service.metadata.name}`;
    const compiled = compileService(service, byService.get(key) ?? [], family);
    for (const entry of compiled.ports) ports.set(entry.id, entry);
    problems.push(...compiled.problems);
    revision = newerRevision(revision, service.metadata.resourceVersion);
  }
  for (const slice of slices) revision = newerRevision(revision, slice.metadata.resourceVersion);
  return { family, ports, problems, revision };
}

/** `namespace/name` of the Service a slice belongs to; the name is empty when its label is missing. */
export function serviceKeyOfSlice(slice: EndpointSlice): string {
  return `${slice.metadata.namespace ?? ""}/${slice.metadata.labels?.[serviceNameLabel] ?? ""}`;
}

/** The later of two revisions; they are decimal texts of any length. */
export function newerRevision(a: string, b: string | undefined): string {
  if (b === undefined || !/^\d+$/.test(b)) return a;
  return b.length > a.length || (b.length === a.length && b > a) ? b : a;
}

function isForeignSlice(slice: EndpointSlice): boolean {
  const labels = slice.metadata.labels ?? {};
  return proxyNameLabel in labels || headlessLabel in labels;
}

function whySkipped(service: Service, family: Family): Problem | undefined {
  const { spec, metadata } = service;
  const name = `${metadata.namespace ?? ""}/${metadata.name}`;
  const skip = (code: string, field: string, message: string): Problem => ({
    at: sourceOf(service, field),
    code,
    message,
  });
  const proxyName = metadata.labels?.[proxyNameLabel];
  if (proxyName !== undefined) {
    const message = `Service ${name} is left to another proxy by its label ${proxyNameLabel}; remove the label to have it served here`;
    return skip("other-proxy", "metadata.labels", message);
  }
  if (spec.type === "ExternalName") {
    return skip(
      "external-name",
      "spec.type",
      `Service ${name} is only a DNS name for ${spec.externalName ?? "nothing"}`,
    );
  }
  if (spec.clusterIP === "None") {
    return skip("headless", "spec.clusterIP", `Service ${name} is headless: DNS names its pods, nothing is proxied`);
  }
  if (spec.clusterIP === undefined || spec.clusterIP === "") {
    return skip(
      "no-cluster-ip",
      "spec.clusterIP",
      `Service ${name} has no cluster IP yet; it is served once it has one`,
    );
  }
  if (clusterIPOf(service, family) === undefined) {
    return skip("other-family", "spec.clusterIPs", `Service ${name} has no IPv${family} cluster IP`);
  }
  return undefined;
}

function clusterIPOf({ spec }: Service, family: Family): string | undefined {
  const all = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ""];
  const own = all.find((address) => parseAddress(address)?.family === family);
  return own === undefined ? undefined : canonicalAddress(own);
}

/** All that the ports of one Service share. */
function addressesOf(service: Service, family: Family, problems: Problem[]) {
  const { spec, status, metadata } = service;
  const own = (addresses: readonly string[], field: string) =>
    [...new Set(addresses.map((address) => canonicalAddress(address)))].filter((address) => {
      const parsed = parseAddress(address);
      if (parsed === undefined) {
        const message = `Service ${metadata.namespace ?? ""}/${metadata.name}: ${JSON.stringify(address)} is no address; correct ${field}`;
        problems.push({ at: sourceOf(service, field), code: "invalid-address", message });
      }
      return parsed?.family === family;
    });
  const ingress = spec.type === "LoadBalancer" ? (status?.loadBalancer?.ingress ?? []) : [];
  const vips = ingress.flatMap(({ ip, ipMode = "VIP" }) => (ip !== undefined && ipMode === "VIP" ? [ip] : []));
  const externalIPs = own(spec.externalIPs ?? [], "spec.externalIPs");
  const isExternal = spec.type === "NodePort" || spec.type === "LoadBalancer" || (spec.externalIPs ?? []).length > 0;
  const external = isExternal ? (spec.externalTrafficPolicy ?? "Cluster") : "Cluster";
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    ...(metadata.creationTimestamp === undefined ? {} : { created: metadata.creationTimestamp }),
    clusterIP: clusterIPOf(service, family) ?? "",
    externalIPs,
    loadBalancerIPs: own(vips, "status.loadBalancer.ingress"),
    loadBalancerSourceRanges: rangesOf(service, family, problems),
    internalTrafficPolicy: spec.internalTrafficPolicy ?? ("Cluster" as const),
    externalTrafficPolicy: external,
    healthCheckNodePort: external === "Local" ? (spec.healthCheckNodePort ?? 0) : 0,
    affinitySeconds: spec.sessionAffinity === "ClientIP" ? timeout : 0,
  };
}

/**
 * The sources that load-balancer addresses are open to; empty when to all. A range of all addresses lifts the filter;
 * ranges of the other family alone close the address (upstream pkg/proxy `serviceport.go`).
 */
function rangesOf(service: Service, family: Family, problems: Problem[]): string[] {
  const { spec, metadata } = service;
  const annotated = (metadata.annotations?.[sourceRangesAnnotation] ?? "").split(",");
  const texts = (spec.loadBalancerSourceRanges?.length ? spec.loadBalancerSourceRanges : annotated)
    .map((text) => text.trim())
    .filter((text) => text !== "");
  if (spec.type !== "LoadBalancer" || texts.length === 0) return [];
  const own = texts.filter((text) => {
    const range = parseCidr(text);
    if (range === undefined) {
      const field = "spec.loadBalancerSourceRanges";
      const message = `Service ${metadata.namespace ?? ""}/${metadata.name}: ${JSON.stringify(text)} is no address range; correct ${field}`;
      problems.push({ at: sourceOf(service, field), code: "invalid-range", message });
    }
    return range?.family === family;
  });
  if (own.some((text) => parseCidr(text)?.prefix === 0)) return [];
  return own.length === 0 ? [nowhere[family]] : own;
}

function portFacts({ metadata, spec }: Service, { name = "", protocol = "TCP", port, nodePort = 0 }: ServicePort) {
  const hasNodePort = spec.type === "NodePort" || spec.type === "LoadBalancer";
  return {
    id: `${metadata.namespace ?? ""}/${metadata.name}:${name}/${protocol}`,
    portName: name,
    protocol,
    port,
    nodePort: hasNodePort ? nodePort : 0,
  };
}
