import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { Ingress, IngressBackend } from "#api/networking/ingress/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Client } from "#client/contract.ts";
import { hostResolver, renderHostLine } from "./host-resolver.ts";
import type { AddressPlan } from "./options.ts";
import type { Reach } from "./report.ts";

export interface ReachFacts {
  readonly plan: AddressPlan;
  readonly clusterDomain: string;
  readonly apiPort: number;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly kubeconfig: string;
  /** Where cluster DNS answers: the service address, or what it is without nodes. */
  readonly dns: string;
  /** The link between this machine and the nodes, where there are nodes. */
  readonly uplink?: string;
}

/** Reads from the API what can be reached, and how. */
export async function reachOf(client: Client, facts: ReachFacts): Promise<Reach> {
  const [ingresses, services, slices, nodes, pods] = await Promise.all([
    client.list("Ingress"),
    client.list("Service"),
    client.list("EndpointSlice"),
    client.list("Node"),
    client.list("Pod"),
  ]);
  const endpoints = countEndpoints(slices.items);
  const nodeRows = nodes.items.map(({ metadata, status }) => ({
    name: metadata.name,
    address: status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "",
    pods: pods.items.filter(({ spec }) => spec.nodeName === metadata.name).length,
  }));
  const firstNodes = nodeRows.map(({ address }) => address).filter((address) => address !== "");
  return {
    urls: ingresses.items.flatMap((ingress) => urlsOf(ingress, facts, endpoints)),
    services: services.items.map((service) => serviceRow(service, endpoints, firstNodes)),
    nodes: nodeRows,
    dns: facts.dns,
    clusterDomain: facts.clusterDomain,
    ...(facts.uplink === undefined
      ? {}
      : { hostLine: renderHostLine(hostResolver(), { ...facts, uplink: facts.uplink }) }),
    api: `https://127.0.0.1:${facts.apiPort}`,
    kubeconfig: facts.kubeconfig,
  };
}

/** Ready endpoints by `namespace/service`. */
function countEndpoints(slices: readonly EndpointSlice[]): Map<string, number> {
  const counts = new Map<string, Set<string>>();
  for (const { metadata, endpoints } of slices) {
    const key = `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`;
    const seen = counts.get(key) ?? new Set();
    counts.set(key, seen);
    for (const { addresses, conditions } of endpoints) {
      if (conditions?.ready !== false) for (const address of addresses) seen.add(address);
    }
  }
  return new Map([...counts].map(([key, seen]) => [key, seen.size]));
}

function urlsOf(ingress: Ingress, facts: ReachFacts, endpoints: ReadonlyMap<string, number>): Reach["urls"] {
  const { rules = [], tls = [], defaultBackend } = ingress.spec;
  const { namespace } = ingress.metadata;
  const secure = new Set(tls.flatMap(({ hosts = [] }) => hosts));
  const row = (host: string | undefined, path: string, backend: IngressBackend) => {
    const service = backend.service;
    const port = service?.port?.name ?? service?.port?.number;
    return {
      url: urlOf(facts, host, path, host !== undefined && secure.has(host)),
      backend:
        service === undefined
          ? `${backend.resource?.kind}/${backend.resource?.name}`
          : `${namespace}/${service.name}:${port}`,
      endpoints: endpoints.get(`${namespace}/${service?.name}`) ?? 0,
    };
  };
  return [
    ...rules.flatMap(({ host, http }) =>
      (http?.paths ?? []).map(({ path, backend }) => row(host, path ?? "/", backend)),
    ),
    ...(defaultBackend === undefined ? [] : [row(undefined, "/", defaultBackend)]),
  ];
}

function urlOf({ httpPort, httpsPort }: ReachFacts, host: string | undefined, path: string, tls: boolean): string {
  const port = tls ? httpsPort : httpPort;
  const isDefault = port === (tls ? 443 : 80);
  return `${tls ? "https" : "http"}://${host ?? "127.0.0.1"}${isDefault ? "" : `:${port}`}${path}`;
}

function serviceRow(
  service: Service,
  endpoints: ReadonlyMap<string, number>,
  nodes: readonly string[],
): Reach["services"][number] {
  const { metadata, spec } = service;
  const ports = spec.ports ?? [];
  return {
    name: `${metadata.namespace}/${metadata.name}`,
    type: spec.type ?? "ClusterIP",
    clusterIP: spec.type === "ExternalName" ? (spec.externalName ?? "") : (spec.clusterIP ?? ""),
    ports: ports
      .map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ""}/${protocol}`)
      .join(","),
    nodePorts: ports.flatMap(({ nodePort }) => (nodePort && nodes[0] ? [`${nodes[0]}:${nodePort}`] : [])),
    endpoints: endpoints.get(`${metadata.namespace}/${metadata.name}`) ?? 0,
  };
}
