import { parseAddress } from "#base/cidr.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { sourceOf, type Because, type Problem } from "../because.ts";
import { readyEndpoints, reverseName, type NamedEndpoint } from "./endpoints.ts";
import type { NameEntry, SrvRecord } from "./table.ts";

/** What one Service puts into the zone. */
export interface ServiceNames {
  readonly names: ReadonlyMap<string, NameEntry>;
  /** Reverse name -> the names it points to for this Service. */
  readonly reverse: ReadonlyMap<string, Pointer>;
  readonly problems: readonly Problem[];
}

export interface Pointer {
  readonly targets: readonly string[];
  /** The address is the Service's own, which hides endpoints with the same address. */
  readonly clusterIp: boolean;
  readonly because: Because;
}

/** Of names that are on their way to answers: a large cluster has more text in its reasons than in its names. */
const unexplained: Because = { from: [] };

/** As CoreDNS's options `endpoint_pod_names` and `ignore empty_service`. */
export interface ServiceNameRules {
  /** Endpoints without a host name are called by their pod instead of their dashed address. */
  readonly endpointPodNames?: boolean;
  /** A ClusterIP Service without ready endpoints does not exist. */
  readonly ignoreEmptyService?: boolean;
}

/** An address and a port under which the Service, or one of its endpoints, is reached. */
interface Reach {
  readonly target: string;
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: { readonly name?: string; readonly protocol?: string; readonly port: number };
}

/**
 * The names of one Service as the DNS specification (schema 1.1.0, sections 2.3 to 2.5) and CoreDNS build them. Pure;
 * `slices` are all EndpointSlices labelled with the Service's name. Names that must be NODATA because something lies
 * below them (`_tcp.web...`) have an entry without records (RFC 8020). Without `reasons` all say the same empty one.
 */
export function compileServiceNames(
  zone: string,
  service: Service,
  slices: readonly EndpointSlice[],
  { endpointPodNames = false, ignoreEmptyService = false }: ServiceNameRules = {},
  reasons = true,
): ServiceNames {
  const { name, namespace = "" } = service.metadata;
  const own = `${name}.${namespace}.svc.${zone}`.toLowerCase();
  if (service.spec.type === "ExternalName") return externalNames(service, own);

  const because = reasons ? { from: [sourceOf(service), ...slices.map((slice) => sourceOf(slice))] } : unexplained;
  const endpoints = readyEndpoints(slices, { podNames: endpointPodNames, reasons });
  const clusterIps = clusterAddresses(service);
  const names = new Map<string, NameEntry>();
  const reverse = new Map<string, Pointer>();

  const reaches =
    clusterIps === "headless"
      ? endpoints.flatMap((endpoint) => reachesOf(endpoint, own))
      : clusterIps.flatMap(({ address, family }) =>
          (service.spec.ports ?? []).map((port) => ({ target: own, address, family, port })),
        );
  const addresses = clusterIps === "headless" ? endpoints : clusterIps;
  if (endpoints.length === 0 && (addresses.length === 0 || ignoreEmptyService)) return { names, reverse, problems: [] };
  if (addresses.length > 0) names.set(own, { ...addressEntry(addresses), ...srvEntry(reaches), because });
  for (const [owner, matched] of Map.groupBy(reaches, ({ port }) => portOwner(port, own))) {
    if (owner === undefined) continue;
    names.set(owner, { ...addressEntry(matched), ...srvEntry(matched), because });
    const middle = owner.slice(owner.indexOf(".") + 1);
    if (!names.has(middle)) names.set(middle, {});
  }
  for (const [label, same] of Map.groupBy(endpoints, (endpoint) => endpoint.label)) {
    const owner = `${label}.${own}`;
    const why = reasons ? { from: [...same.map(({ source }) => source), sourceOf(service)] } : unexplained;
    const srv = srvEntry(same.flatMap((endpoint) => reachesOf(endpoint, own)));
    names.set(owner, { ...addressEntry(same), ...srv, because: why });
    if (!names.has(own)) names.set(own, {});
    for (const { address } of same) point(reverse, address, owner, false, why);
  }
  if (clusterIps !== "headless") {
    for (const { address } of clusterIps) {
      const at = reverseName(address);
      if (at === undefined) continue;
      const from = [sourceOf(service, "spec.clusterIPs")];
      reverse.set(at, { targets: [own], clusterIp: true, because: { from } });
    }
  }
  return { names, reverse, problems: [] };
}

function externalNames(service: Service, own: string): ServiceNames {
  const target = (service.spec.externalName ?? "").replace(/\.$/, "");
  const at = sourceOf(service, "spec.externalName");
  const none = { names: new Map<string, NameEntry>(), reverse: new Map<string, Pointer>() };
  if (target === "") return { ...none, problems: [] };
  if (parseAddress(target) !== undefined) {
    const message = `${service.metadata.namespace}/${service.metadata.name}: externalName ${target} is an address, and DNS can point to names only; use a Service without selector and an EndpointSlice`;
    return { ...none, problems: [{ at, code: "external-name-is-address", message }] };
  }
  return { ...none, names: new Map([[own, { cname: target, because: { from: [at] } }]]), problems: [] };
}

/** `spec.clusterIPs`, or the older single field; none yet while the address is not allocated. */
function clusterAddresses({ spec }: Service): { address: string; family: 4 | 6 }[] | "headless" {
  const texts = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ""];
  if (texts[0] === "None") return "headless";
  return texts.flatMap((address) => {
    const family = parseAddress(address)?.family;
    return family === undefined ? [] : [{ address, family }];
  });
}

function reachesOf(endpoint: NamedEndpoint, own: string): Reach[] {
  const target = `${endpoint.label}.${own}`;
  return endpoint.ports.map((port) => ({ target, address: endpoint.address, family: endpoint.family, port }));
}

/** `_http._tcp.web...`; ports without a name have no such owner. */
function portOwner({ name, protocol = "TCP" }: Reach["port"], own: string): string | undefined {
  return name ? `_${name}._${protocol}.${own}`.toLowerCase() : undefined;
}

function addressEntry(of: readonly { address: string; family: 4 | 6 }[]): Pick<NameEntry, "a" | "aaaa"> {
  const a = new Set<string>();
  const aaaa = new Set<string>();
  for (const { address, family } of of) (family === 4 ? a : aaaa).add(address);
  return { ...(a.size > 0 && { a: [...a] }), ...(aaaa.size > 0 && { aaaa: [...aaaa] }) };
}

/**
 * One record for each target and port. The weight is a hundredth share of all addresses and ports of both families,
 * counted before the same target and port fall together, as CoreDNS counts.
 */
function srvEntry(reaches: readonly Reach[]): Pick<NameEntry, "srv"> {
  if (reaches.length === 0) return {};
  const weight = Math.max(1, Math.floor(100 / reaches.length));
  const records = new Map<string, SrvRecord>();
  for (const { target, port } of reaches) {
    const key = `${target} ${port.port}`;
    if (!records.has(key)) records.set(key, { target, port: port.port, priority: 0, weight });
  }
  return { srv: [...records.values()] };
}

function point(
  into: Map<string, Pointer>,
  address: string,
  target: string,
  clusterIp: boolean,
  because: Because,
): void {
  const at = reverseName(address);
  if (at === undefined) return;
  const found = into.get(at);
  if (found?.targets.includes(target)) return;
  const from = [...(found?.because.from ?? []), ...because.from];
  into.set(at, { targets: [...(found?.targets ?? []), target], clusterIp, because: { from } });
}
