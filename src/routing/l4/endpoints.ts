import { canonicalAddress, parseAddress } from "#base/cidr.ts";
import type { Service, ServicePort } from "#api/core/service/kind.ts";
import type { EndpointSlice, SliceEndpoint } from "#api/discovery/endpointslice/kind.ts";
import { sourceOf, type Because, type Loser, type Problem } from "../because.ts";
import type { EndpointEntry } from "./table.ts";

/**
 * The endpoints of one service port out of the slices of its Service: those under a slice port of the same name and
 * protocol (upstream pkg/proxy `endpointslicecache.go`). An address and port that stands in two slices, as it does while
 * an endpoint moves between them, is taken from where it is ready.
 */
export function gatherEndpoints(
  service: Service,
  { name = "", protocol = "TCP", port }: ServicePort,
  field: string,
  slices: readonly EndpointSlice[],
): { endpoints: readonly EndpointEntry[]; because: Because; problems: readonly Problem[] } {
  const found = new Map<string, EndpointEntry>();
  const from = [sourceOf(service, field)];
  const losers: Loser[] = [];
  const problems: Problem[] = [];
  let hasMatch = false;
  for (const slice of slices) {
    const ports = slice.ports ?? [];
    const match = ports.find((other) => (other.name ?? "") === name && (other.protocol ?? "TCP") === protocol);
    if (match?.port === undefined || match.port === 0) {
      if (slice.endpoints.length === 0) continue;
      losers.push({ ...sourceOf(slice, "ports"), reason: whyNoPort(slice, match !== undefined, name, protocol) });
      continue;
    }
    hasMatch = true;
    from.push(sourceOf(slice));
    for (const [index, endpoint] of slice.endpoints.entries()) {
      const entry = entryOf(endpoint, match.port, slice);
      if (entry === undefined) {
        const at = sourceOf(slice, `endpoints[${index}].addresses`);
        losers.push({ ...at, reason: "an endpoint of it has no usable address" });
        problems.push({ at, code: "unusable-endpoint", message: whyUnusable(slice, index, endpoint) });
        continue;
      }
      const key = `${entry.address}:${entry.port}`;
      const other = found.get(key);
      if (other === undefined || isBetter(entry, other)) found.set(key, entry);
    }
  }
  const because: Because = { from, ...(losers.length === 0 ? {} : { losers }) };
  const endpoints = [...found.values()].sort(byAddress);
  if (hasMatch || losers.length === 0) return { endpoints, because, problems };
  const wanted = name === "" ? `port ${port} (unnamed)` : `port ${JSON.stringify(name)}`;
  const message = `Service ${service.metadata.namespace ?? ""}/${service.metadata.name}: no slice has ${wanted}/${protocol}; give the pods' container port or the slice port that name`;
  problems.push({ at: sourceOf(service, field), code: "port-not-in-slices", message });
  return { endpoints, because, problems };
}

function whyUnusable({ metadata, addressType }: EndpointSlice, index: number, { addresses }: SliceEndpoint): string {
  const has =
    addresses[0] === undefined ? "no address" : `${JSON.stringify(addresses[0])}, which is no ${addressType} address`;
  return `EndpointSlice ${metadata.namespace ?? ""}/${metadata.name}: endpoints[${index}] has ${has}; correct or remove it, the others are served`;
}

function whyNoPort(slice: EndpointSlice, hasName: boolean, name: string, protocol: string): string {
  if (hasName) return "its port of that name has no number";
  const have = (slice.ports ?? []).map((port) => `${JSON.stringify(port.name ?? "")}/${port.protocol ?? "TCP"}`);
  return `it has ${have.length === 0 ? "no ports" : `the ports ${have.join(", ")}`}, not ${JSON.stringify(name)}/${protocol}`;
}

/** Conditions left out mean ready, serving and not terminating (discovery/v1 `EndpointConditions`). */
function entryOf(endpoint: SliceEndpoint, port: number, slice: EndpointSlice): EndpointEntry | undefined {
  const address = endpoint.addresses[0];
  const parsed = address === undefined ? undefined : parseAddress(address);
  if (address === undefined || `IPv${parsed?.family}` !== slice.addressType) return undefined;
  const { ready = true, serving = true, terminating = false } = endpoint.conditions ?? {};
  const { nodeName, zone, hints, targetRef } = endpoint;
  return {
    address: canonicalAddress(address),
    port,
    ready,
    serving,
    terminating,
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(hints?.forZones === undefined ? {} : { forZones: hints.forZones.map((zone) => zone.name) }),
    ...(hints?.forNodes === undefined ? {} : { forNodes: hints.forNodes.map((node) => node.name) }),
    ...(targetRef?.kind === "Pod" && targetRef.name !== undefined ? { pod: targetRef.name } : {}),
  };
}

function isBetter(a: EndpointEntry, b: EndpointEntry): boolean {
  if (a.ready !== b.ready) return a.ready;
  if (a.terminating !== b.terminating) return !a.terminating;
  return a.serving && !b.serving;
}

function byAddress(a: EndpointEntry, b: EndpointEntry): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  return a.port - b.port;
}
