import { formatAddress, parseAddress } from "#base/cidr.ts";
import type { Service } from "#api/core/service/kind.ts";
import { ipAllocatorName, ipFamilyLabel, ipManagedByLabel, type IPAddress } from "#api/networking/ipaddress/kind.ts";

/** The IPAddress by which a Service holds an address, given in canonical form (KEP-1880). */
export function renderIpAddress(
  text: string,
  { metadata: { namespace = "", name } }: Service,
): Pick<IPAddress, "metadata" | "spec"> {
  return {
    metadata: { name: text, labels: labelsOf(text) },
    spec: { parentRef: { group: "", resource: "services", namespace, name } },
  };
}

export function labelsOf(text: string): Record<string, string> {
  return { [ipFamilyLabel]: parseAddress(text)?.family === 6 ? "IPv6" : "IPv4", [ipManagedByLabel]: ipAllocatorName };
}

/** The Service an IPAddress says it is of, as `namespace/name`. */
export function parentKeyOf({ spec: { parentRef } }: IPAddress): string | undefined {
  if (parentRef?.resource !== "services" || parentRef.group) return undefined;
  return `${parentRef.namespace ?? ""}/${parentRef.name ?? ""}`;
}

/** The cluster IPs a Service holds, in canonical form; none when it is headless or ExternalName. */
export function heldAddresses(service: Service): string[] {
  if (!hasClusterIp(service)) return [];
  const { clusterIP, clusterIPs = clusterIP ? [clusterIP] : [] } = service.spec;
  return clusterIPs.filter((text) => text !== "").map((text) => canonical(text));
}

/** As an IPAddress is named; what is no address stays as it is. */
export function canonical(text: string): string {
  const address = parseAddress(text);
  return address === undefined ? text : formatAddress(address);
}

export function hasClusterIp({ spec }: Service): boolean {
  const takes = spec.type === "ClusterIP" || spec.type === "NodePort" || spec.type === "LoadBalancer";
  return (takes || spec.type === undefined) && spec.clusterIP !== "None" && spec.clusterIPs?.[0] !== "None";
}
