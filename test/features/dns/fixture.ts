import type { KubeObject } from "#api/meta/object.ts";
import { createFakeClient } from "#client/fake.ts";
import type { DnsOptions, RunningDns } from "../../../src/dns/contract.ts";
import { startDns } from "../../../src/dns/start.ts";

export const zone = "cluster.local";
export const anyPort = [{ address: "127.0.0.1", port: 0 }];

export function namespace(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

export function service(name: string, spec: object, namespace = "dev"): KubeObject {
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec } as KubeObject;
}

export function slice(service: string, addresses: readonly string[], name = `${service}-1`): KubeObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace: "dev", labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
  } as KubeObject;
}

/** A server on a free port of this thread, whose objects have been read. */
export async function startHere(
  objects: readonly KubeObject[],
  options: Partial<DnsOptions> = {},
): Promise<{ dns: RunningDns; at: { address: string; port: number } }> {
  const client = createFakeClient(objects);
  const dns = await startDns({ client, listen: anyPort, clusterDomain: zone, inWorker: false, ...options });
  await dns.waitFor(String(objects.length));
  const [at] = dns.addresses;
  if (at === undefined) throw new Error("no listener");
  return { dns, at };
}
