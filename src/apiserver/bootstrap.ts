import type { KubeObject } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import { defaultServiceCidr } from "#api/networking/servicecidr/kind.ts";
import type { KindName, KindTypes } from "#api/types.ts";
import type { Client, New } from "#client/contract.ts";
import { bootstrapRoles } from "./bootstrap-roles.ts";

export interface BootstrapOptions {
  /** The ranges that Services get their addresses from, at most one of a family: the ServiceCIDR `kubernetes`. */
  serviceCidrs: readonly string[];
  /** The address of Service `default/kubernetes`: the first of the service range. */
  serviceAddress: string;
  /** Where the API server really listens, as pods reach it. Empty until the uplink is there. */
  apiEndpoints: readonly { address: string; port: number }[];
}

const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/**
 * Creates what every cluster starts with: namespaces default, kube-system, kube-public and kube-node-lease, the
 * ServiceCIDR of the cluster, and Service default/kubernetes with its Endpoints and EndpointSlice, roles and bindings. May be called again at any time, e.g. when the endpoints
 * change; what is already right is left alone.
 */
export async function bootstrap(client: Client, options: BootstrapOptions): Promise<void> {
  const { serviceCidrs, serviceAddress, apiEndpoints } = options;
  await Promise.all([
    bootstrapRoles(client),
    ...namespaces.map((name) => ensure(client, "Namespace", { metadata: { name } })),
    ensureServiceCidr(client, serviceCidrs),
  ]);
  await ensure(client, "Service", {
    metadata: { ...named, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      type: "ClusterIP",
      clusterIP: serviceAddress,
      clusterIPs: [serviceAddress],
      ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: apiEndpoints[0]?.port ?? 6443 }],
    },
  });
  await bootstrapEndpoints(client, apiEndpoints);
}

/** One that is there keeps its ranges, but for a second family; the controller says when it has others. */
async function ensureServiceCidr(client: Client, cidrs: readonly string[]): Promise<void> {
  const before = await client.get("ServiceCIDR", { name: defaultServiceCidr });
  if (before === undefined) {
    await client.create("ServiceCIDR", { metadata: { name: defaultServiceCidr }, spec: { cidrs: [...cidrs] } });
  } else if (before.spec.cidrs?.length === 1 && cidrs.length === 2 && before.spec.cidrs[0] === cidrs[0]) {
    await client.patch("ServiceCIDR", before.metadata, { spec: { cidrs } });
  }
}

const named = { name: "kubernetes", namespace: "default" };

async function bootstrapEndpoints(client: Client, endpoints: BootstrapOptions["apiEndpoints"]): Promise<void> {
  const ports = [...new Set(endpoints.map(({ port }) => port))];
  await ensure(client, "Endpoints", {
    metadata: { ...named, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: ports.map((port) => ({
      addresses: endpoints.filter((endpoint) => endpoint.port === port).map(({ address }) => ({ ip: address })),
      ports: [{ name: "https", port, protocol: "TCP" as const }],
    })),
  });
  // A slice has one set of ports: endpoints with another port than the first are in Endpoints only.
  const [first] = ports;
  const addresses = endpoints.filter(({ port }) => port === first).map(({ address }) => address);
  await ensure(client, "EndpointSlice", {
    addressType: "IPv4",
    metadata: { ...named, labels: { "kubernetes.io/service-name": "kubernetes" } },
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: first === undefined ? [] : [{ name: "https", port: first, protocol: "TCP" as const }],
  });
}

/** Creates the object, or brings the fields it names to what it says. */
async function ensure<K extends KindName>(client: Client, kind: K, wished: New<KindTypes[K]>): Promise<void> {
  try {
    await client.create(kind, wished);
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
    if (kind === "Namespace") return;
    const { metadata, ...fields } = wished as unknown as KubeObject;
    // The registry stores nothing when nothing changes.
    await client.patch(kind, metadata, fields);
  }
}
