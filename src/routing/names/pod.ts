import { parseAddress } from "#base/cidr.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { dashedAddress } from "./endpoints.ts";

export interface PodAddress {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly family: 4 | 6;
}

const ended: ReadonlySet<string | undefined> = new Set(["Succeeded", "Failed", "Unknown"]);

/**
 * The name that a pod has by its first address (DNS specification 2.6.1), while it may still be asked for anything:
 * neither ended nor being deleted, as CoreDNS judges in its mode `verified`.
 */
export function compilePodName(zone: string, { metadata, status }: Pod): PodAddress | undefined {
  const { namespace = "" } = metadata;
  const address = status?.podIP ?? "";
  const family = parseAddress(address)?.family;
  if (family === undefined || ended.has(status?.phase) || metadata.deletionTimestamp !== undefined) return undefined;
  return { name: `${dashedAddress(address)}.${namespace}.pod.${zone}`, namespace, address, family };
}
