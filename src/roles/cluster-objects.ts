import type { Endpoints } from "#api/core/endpoints/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";

/**
 * Service `kube-system/kube-dns` at the cluster's tenth service address, with the address where our DNS really listens
 * behind it. Written again when that address appears or changes.
 */
export async function ensureDnsService(
  client: Client,
  { serviceAddress, serverAddress }: { serviceAddress: string; serverAddress: string | undefined },
): Promise<void> {
  const metadata = { name: "kube-dns", namespace: "kube-system" };
  const service: Service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      ...metadata,
      labels: { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
    },
    spec: {
      clusterIP: serviceAddress,
      clusterIPs: [serviceAddress],
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
      ],
    },
  };
  if ((await client.get("Service", metadata)) === undefined) await client.create("Service", service);
  if (serverAddress === undefined) return;
  const endpoints: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata,
    subsets: [
      {
        addresses: [{ ip: serverAddress }],
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      },
    ],
  };
  if ((await client.get("Endpoints", metadata)) === undefined) await client.create("Endpoints", endpoints);
  else await client.update("Endpoints", endpoints);
}

/** IngressClass `fairlead`, so that Ingresses can name it. Not marked as default: Ingresses without a class are taken anyway. */
export async function ensureIngressClass(client: Client, controller: string): Promise<void> {
  try {
    await client.create("IngressClass", { metadata: { name: "fairlead" }, spec: { controller } });
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
  }
}
