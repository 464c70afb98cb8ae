import type { EndpointSlice, SliceEndpoint, SlicePort } from "#api/discovery/endpointslice/kind.ts";
import type { IpFamily, Service } from "#api/core/service/kind.ts";
import { zoneLabel, type Node } from "#api/core/node/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { hostnameIn, podAddress, podReference, resolvePorts } from "../pods/endpoint.ts";
import { isReady, isTerminal, isTerminating } from "../pods/state.ts";
import { allotZones, wantsZoneShares, type ZoneShares } from "./topology.ts";

/** Endpoints that share an address family and the same resolved ports, and so belong in the same slices. */
export interface EndpointGroup {
  readonly addressType: EndpointSlice["addressType"];
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface EndpointsOfService {
  readonly groups: readonly EndpointGroup[];
  readonly families: readonly IpFamily[];
  /** Pods left out because their node is not known yet; they are looked at again when it is. */
  readonly withoutNode: readonly Pod[];
  /** Why there are no hints, by family, where the Service asks for those of its topology mode. */
  readonly withoutHints: ReadonlyMap<IpFamily, string>;
}

/**
 * The endpoints that a Service's slices should hold. `pods` are those its selector chose; `zoneShares` is asked when the
 * Service wants hints by it.
 */
export function compileEndpoints(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
  zoneShares: () => ZoneShares | string,
): EndpointsOfService {
  const families: readonly IpFamily[] = service.spec.ipFamilies?.length ? service.spec.ipFamilies : ["IPv4"];
  const groups = new Map<string, { addressType: IpFamily; ports: SlicePort[]; endpoints: SliceEndpoint[] }>();
  const withoutNode: Pod[] = [];
  for (const pod of [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    if (isTerminal(pod)) continue;
    const { nodeName } = pod.spec;
    const node = nodeName === undefined ? undefined : nodeOf(nodeName);
    if (nodeName !== undefined && node === undefined && !service.spec.publishNotReadyAddresses) {
      withoutNode.push(pod);
      continue;
    }
    for (const family of families) {
      const address = podAddress(pod, family);
      if (address === undefined) continue;
      const ports = resolvePorts(service, pod);
      const key = groupKey(family, ports);
      const endpoint = endpointOf(service, pod, address, node);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { addressType: family, ports, endpoints: [endpoint] });
      else group.endpoints.push(endpoint);
    }
  }
  const withoutHints = new Map<IpFamily, string>();
  if (wantsZoneShares(service)) {
    const shares = zoneShares();
    for (const family of families) {
      const ofFamily = [...groups.values()].filter(({ addressType }) => addressType === family);
      const why = typeof shares === "string" ? shares : hintAtZones(ofFamily, shares);
      if (why !== undefined) withoutHints.set(family, why);
    }
  }
  return { groups: [...groups.values()], families, withoutNode, withoutHints };
}

/** Gives the endpoints of all groups their hints; answers why there are none. */
function hintAtZones(groups: readonly { endpoints: SliceEndpoint[] }[], shares: ZoneShares): string | undefined {
  const zones = allotZones(
    groups.flatMap(({ endpoints }) => endpoints),
    shares,
  );
  if (typeof zones === "string") return zones;
  const rest = [...zones];
  for (const group of groups) {
    group.endpoints = group.endpoints.map((endpoint) => {
      const zone = rest.shift();
      return zone === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name: zone }] } };
    });
  }
  return undefined;
}

/** Equal for slices that may hold the same endpoints, whatever the order of their ports. */
export function groupKey(addressType: string, ports: readonly SlicePort[]): string {
  const texts = ports.map(({ name, protocol, port, appProtocol }) =>
    JSON.stringify([name, protocol, port, appProtocol]),
  );
  return `${addressType} ${texts.sort().join()}`;
}

function endpointOf(service: Service, pod: Pod, address: string, node: Node | undefined): SliceEndpoint {
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameIn(service, pod);
  const zone = node?.metadata.labels?.[zoneLabel];
  const hints = ready && !wantsZoneShares(service) ? hintsFor(service, pod.spec.nodeName, zone) : undefined;
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname !== undefined && { hostname }),
    ...(pod.spec.nodeName !== undefined && { nodeName: pod.spec.nodeName }),
    ...(zone !== undefined && { zone }),
    targetRef: podReference(pod),
    ...(hints !== undefined && { hints }),
  };
}

/** `trafficDistribution` as hints (KEP-4444, KEP-3015): the endpoint's zone, and with PreferSameNode its node as well. */
function hintsFor({ spec }: Service, nodeName: string | undefined, zone: string | undefined): SliceEndpoint["hints"] {
  if (spec.trafficDistribution === undefined) return undefined;
  const forZones = zone === undefined ? undefined : [{ name: zone }];
  const nodes =
    spec.trafficDistribution === "PreferSameNode" && nodeName !== undefined ? [{ name: nodeName }] : undefined;
  if (forZones === undefined && nodes === undefined) return undefined;
  return { ...(forZones && { forZones }), ...(nodes && { forNodes: nodes }) };
}
