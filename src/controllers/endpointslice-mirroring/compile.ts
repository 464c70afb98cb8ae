import { parseAddress } from "#base/cidr.ts";
import type { EndpointAddress, Endpoints, EndpointSubset } from "#api/core/endpoints/kind.ts";
import type { SliceEndpoint } from "#api/discovery/endpointslice/kind.ts";
import { managedByLabel, serviceNameLabel, triggerTimeAnnotation } from "#api/discovery/endpointslice/kind.ts";
import type { EndpointGroup } from "../endpointslice/compile.ts";
import { endpointsManagedByLabel, endpointsManager } from "../endpoints/compile.ts";

export const mirrorManager = "endpointslicemirroring-controller.k8s.io";
/** The most addresses of one subset that are mirrored. */
export const maxMirrored = 1000;

const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/** Whether hand-made Endpoints ask to be shown as slices. */
export function isMirrored({ metadata }: Endpoints): boolean {
  return (
    metadata.labels?.[skipLabel] !== "true" &&
    metadata.labels?.[endpointsManagedByLabel] !== endpointsManager &&
    metadata.annotations?.[leaderAnnotation] === undefined
  );
}

export interface Mirrored {
  readonly groups: readonly EndpointGroup[];
  /** Texts that are no address. */
  readonly invalid: readonly string[];
  /** How many addresses were beyond the limit. */
  readonly dropped: number;
}

/** One group for each address family and port list of hand-made Endpoints. */
export function compileMirrored(endpoints: Endpoints): Mirrored {
  const groups = new Map<
    string,
    { addressType: "IPv4" | "IPv6"; ports: EndpointGroup["ports"]; endpoints: SliceEndpoint[] }
  >();
  const invalid: string[] = [];
  let dropped = 0;
  for (const subset of endpoints.subsets ?? []) {
    const ports = (subset.ports ?? []).map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol !== undefined && { appProtocol }),
    }));
    const addresses = addressesOf(subset);
    dropped += Math.max(0, addresses.length - maxMirrored);
    for (const { address, ready } of addresses.slice(0, maxMirrored)) {
      const parsed = parseAddress(address.ip);
      if (parsed === undefined) {
        invalid.push(address.ip);
        continue;
      }
      const addressType = parsed.family === 4 ? "IPv4" : "IPv6";
      const key = `${addressType} ${JSON.stringify(ports)}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { addressType, ports, endpoints: [mirrorOf(address, ready)] });
      else group.endpoints.push(mirrorOf(address, ready));
    }
  }
  return { groups: [...groups.values()], invalid, dropped };
}

function addressesOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset) {
  return [
    ...addresses.map((address) => ({ address, ready: true })),
    ...notReadyAddresses.map((address) => ({ address, ready: false })),
  ];
}

function mirrorOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): SliceEndpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname !== undefined && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    ...(targetRef !== undefined && { targetRef }),
  };
}

export function mirrorLabels({ metadata }: Endpoints): Record<string, string> {
  return { ...metadata.labels, [serviceNameLabel]: metadata.name, [managedByLabel]: mirrorManager };
}

export function mirrorAnnotations({ metadata }: Endpoints): Record<string, string> {
  const { [triggerTimeAnnotation]: _, [lastAppliedAnnotation]: __, ...annotations } = metadata.annotations ?? {};
  return annotations;
}
