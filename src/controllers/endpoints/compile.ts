import type { EndpointAddress, Endpoints, EndpointSubset } from "#api/core/endpoints/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { hostnameIn, isHeadless, podAddress, podReference, resolvePorts, type ResolvedPort } from "../pods/endpoint.ts";
import { isReady, isTerminal, isTerminating } from "../pods/state.ts";

/** The most addresses one Endpoints object holds (upstream's `maxCapacity`). */
export const maxAddresses = 1000;
export const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";
export const endpointsManagedByLabel = "endpoints.kubernetes.io/managed-by";
export const endpointsManager = "endpoint-controller";
const headlessLabel = "service.kubernetes.io/headless";

/**
 * The subsets of a Service's Endpoints: one for each different set of resolved ports, addresses sorted by IP, then pod
 * uid, each pod with its address of the first family. Terminating pods count only with `publishNotReadyAddresses`.
 */
export function compileSubsets(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const subsets = new Map<string, { ports: ResolvedPort[]; ready: EndpointAddress[]; notReady: EndpointAddress[] }>();
  const publishes = service.spec.publishNotReadyAddresses === true;
  for (const pod of pods) {
    const ip = podAddress(pod, service.spec.ipFamilies?.[0] ?? "IPv4");
    if (ip === undefined || isTerminal(pod) || (isTerminating(pod) && !publishes)) continue;
    const ports = resolvePorts(service, pod).sort((a, b) => (portText(a) < portText(b) ? -1 : 1));
    if (ports.length === 0 && !(isHeadless(service) && !service.spec.ports?.length)) continue;
    const key = ports.map(portText).join();
    const subset = subsets.get(key) ?? { ports, ready: [], notReady: [] };
    subsets.set(key, subset);
    (publishes || isReady(pod) ? subset.ready : subset.notReady).push(addressOf(service, pod, ip));
  }
  const keys = [...subsets.keys()].sort();
  return keys.flatMap((key) => {
    const { ports = [], ready = [], notReady = [] } = subsets.get(key) ?? {};
    return {
      ...(ready.length > 0 && { addresses: ready.sort(byAddress) }),
      ...(notReady.length > 0 && { notReadyAddresses: notReady.sort(byAddress) }),
      ...(ports.length > 0 && { ports: ports.map(endpointPort) }),
    };
  });
}

function endpointPort({ name, ...port }: ResolvedPort) {
  return { ...(name !== "" && { name }), ...port };
}

function portText({ name, protocol, port, appProtocol }: ResolvedPort): string {
  return JSON.stringify([name, protocol, port, appProtocol]);
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const hostname = hostnameIn(service, pod);
  const { nodeName } = pod.spec;
  return {
    ip,
    ...(hostname !== undefined && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    targetRef: podReference(pod),
  };
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  const [left, right] = [a, b].map(({ ip, targetRef }) => `${ip} ${targetRef?.uid}`) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * At most `limit` addresses: ready ones first, shared among the subsets in proportion (upstream's
 * `truncateEndpoints`). The same list when nothing must go.
 */
export function truncateSubsets(subsets: readonly EndpointSubset[], limit = maxAddresses): readonly EndpointSubset[] {
  const ready = count(subsets, "addresses");
  const notReady = count(subsets, "notReadyAddresses");
  if (ready + notReady <= limit) return subsets;
  const keepReady = Math.min(ready, limit);
  const addresses = shares(subsets, "addresses", keepReady);
  const notReadyAddresses = shares(subsets, "notReadyAddresses", limit - keepReady);
  return subsets
    .map(({ ports }, index) => ({
      ...(addresses[index]?.length && { addresses: addresses[index] }),
      ...(notReadyAddresses[index]?.length && { notReadyAddresses: notReadyAddresses[index] }),
      ...(ports && { ports }),
    }))
    .filter((subset) => subset.addresses !== undefined || subset.notReadyAddresses !== undefined);
}

type AddressField = "addresses" | "notReadyAddresses";

function count(subsets: readonly EndpointSubset[], field: AddressField): number {
  return subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0);
}

function shares(subsets: readonly EndpointSubset[], field: AddressField, keep: number): EndpointAddress[][] {
  const total = count(subsets, field);
  let left = keep;
  const kept = subsets.map((subset) => {
    const list = subset[field] ?? [];
    const share = total === 0 ? 0 : Math.floor((list.length * keep) / total);
    left -= share;
    return share;
  });
  return subsets.map((subset, index) => {
    const list = subset[field] ?? [];
    const extra = Math.min(left, list.length - (kept[index] ?? 0));
    left -= extra;
    return list.slice(0, (kept[index] ?? 0) + extra);
  });
}

export function endpointsLabels(service: Service): Record<string, string> {
  const { [headlessLabel]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    [endpointsManagedByLabel]: endpointsManager,
    ...(isHeadless(service) && { [headlessLabel]: "" }),
  };
}

/** The annotations that stay, and a mark that not every address is listed. */
export function annotationsFor(before: Endpoints | undefined, truncated: boolean): Record<string, string> {
  const { [overCapacityAnnotation]: _, ...annotations } = before?.metadata.annotations ?? {};
  return truncated ? { ...annotations, [overCapacityAnnotation]: "truncated" } : annotations;
}
