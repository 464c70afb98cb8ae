import { checkEndpointAddress } from "#api/meta/addresses.ts";
import { parseAddress } from "#base/cidr.ts";
import type { EndpointSlice, SliceEndpoint } from "#api/discovery/endpointslice/kind.ts";
import type { Service, ServicePort } from "#api/core/service/kind.ts";
import type { IngressBackend } from "#api/networking/ingress/kind.ts";
import type { BackendEndpoint, BackendEntry } from "#dataplane/table.ts";

/** A service port as routes name it, with what decides how it is spoken to. Equal references share one backend. */
export interface BackendRef {
  /** `namespace/service:port`, and what is not default in brackets: `dev/web:http[https,ewma]`. */
  readonly id: string;
  /** `namespace/service`. */
  readonly service: string;
  readonly port: string | number;
  readonly protocol: BackendEntry["protocol"];
  readonly balance: BackendEntry["balance"];
  /** The same for all backends, so that it is no part of the id. */
  readonly care?: BackendCare;
  /** A backend that is no Service: it is what an annotation says. */
  readonly fixed?: BackendEntry;
}

/** How a backend's endpoints are treated. */
export type BackendCare = Pick<BackendEntry, "outliers" | "limits" | "slowStartMs" | "check">;

/** The backend of a URL in an annotation: its host as the only endpoint, which the data plane resolves. */
export function fixedBackend(url: { scheme: "http" | "https"; host: string; port: number }): BackendRef {
  const { scheme, host, port } = url;
  const id = `${scheme}://${host}:${port}`;
  const address = host.replace(/^\[(.*)\]$/, "$1");
  const fixed: BackendEntry = {
    id,
    protocol: scheme,
    balance: "round-robin",
    endpoints: [{ address, port }],
    ...(scheme === "https" && parseAddress(address) === undefined ? { serverName: address } : {}),
  };
  return { id, service: "", port, protocol: scheme, balance: "round-robin", fixed };
}

export function backendRef(
  namespace: string,
  { name, port }: NonNullable<IngressBackend["service"]>,
  { protocol, balance, care }: Pick<BackendRef, "protocol" | "balance" | "care">,
): BackendRef {
  const service = `${namespace}/${name}`;
  const wanted = port?.name ?? port?.number ?? "";
  const marks = [...(protocol === "http" ? [] : [protocol]), ...(balance === "round-robin" ? [] : [balance])].join(",");
  return {
    id: `${service}:${wanted}${marks === "" ? "" : `[${marks}]`}`,
    service,
    port: wanted,
    protocol,
    balance,
    ...(care === undefined ? {} : { care }),
  };
}

/**
 * The service port that a reference means, by name or number. An ExternalName Service need not declare ports: any number
 * is then taken as it is.
 */
export function findPort(service: Service, wanted: string | number): ServicePort | undefined {
  const ports = service.spec?.ports ?? [];
  const found = ports.find(({ name, port }) => (typeof wanted === "number" ? port === wanted : name === wanted));
  if (found !== undefined) return found;
  const isName = service.spec?.type === "ExternalName" && ports.length === 0;
  return isName && typeof wanted === "number" ? { port: wanted } : undefined;
}

/**
 * The backend in force: the pods' own addresses, past the Service's. Ready endpoints, or, when there is none, those
 * that still serve while they terminate (KEP-1669). An ExternalName Service has its name as the only address; the
 * data plane resolves it when it connects.
 */
export function compileBackend(
  ref: BackendRef,
  service: Service | undefined,
  slices: Iterable<EndpointSlice>,
): BackendEntry {
  if (ref.fixed !== undefined) return ref.fixed;
  const port = service === undefined ? undefined : findPort(service, ref.port);
  const endpoints =
    service === undefined || port === undefined ? [] : endpointsOf(service, { ...port, protocol: "TCP" }, slices);
  // What the Service says of its port (KEP-3726) counts where no annotation says anything else.
  const protocol = ref.protocol === "http" && port?.appProtocol === "kubernetes.io/h2c" ? "h2" : ref.protocol;
  return { id: ref.id, protocol, balance: ref.balance, endpoints, ...ref.care };
}

/** The endpoints of one port of a Service, of the protocol that the port has. */
export function endpointsOf(service: Service, port: ServicePort, slices: Iterable<EndpointSlice>): BackendEndpoint[] {
  if (service.spec?.type === "ExternalName") {
    const target = typeof port.targetPort === "number" && port.targetPort > 0 ? port.targetPort : port.port;
    const address = (service.spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
    return address === "" || leadsInside(address) ? [] : [{ address, port: target }];
  }
  const byFamily = new Map<EndpointSlice["addressType"], EndpointSlice[]>();
  for (const slice of slices) byFamily.set(slice.addressType, [...(byFamily.get(slice.addressType) ?? []), slice]);
  for (const family of ["IPv4", "IPv6", "FQDN"] as const) {
    const found = byFamily.get(family) ?? [];
    const ready = pick(found, port, ({ addresses, conditions }) => {
      return conditions?.ready !== false && (family !== "FQDN" || !addresses?.some(leadsInside));
    });
    if (ready.length > 0) return ready;
    const leaving = pick(found, port, ({ conditions }) => {
      return conditions?.terminating === true && conditions.serving === true;
    });
    if (leaving.length > 0) return leaving;
  }
  return [];
}

/**
 * A name that means the machine itself, as ingress-nginx refuses it (`localhost`: RFC 6761 6.3); what other names
 * resolve to is seen by the data plane.
 */
export function leadsInside(name: string): boolean {
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return parseAddress(name) !== undefined && checkEndpointAddress(name).length > 0;
}

function pick(
  slices: readonly EndpointSlice[],
  port: ServicePort,
  takes: (endpoint: SliceEndpoint) => boolean,
): BackendEndpoint[] {
  const found = new Map<string, BackendEndpoint>();
  for (const slice of slices) {
    const at = (slice.ports ?? []).find(({ name, protocol }) => {
      return (name ?? "") === (port.name ?? "") && (protocol ?? "TCP") === (port.protocol ?? "TCP");
    });
    if (at?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (!takes(endpoint)) continue;
      for (const address of endpoint.addresses ?? []) found.set(`${address} ${at.port}`, { address, port: at.port });
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}
