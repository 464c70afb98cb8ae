import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { sharingAnnotation, type Wishes } from "./wishes.ts";

/** Who has which address. Several may have one by MetalLB's rules: same key, no port twice, equal policies. */
export interface Holders {
  isTaken(address: string): boolean;
  sharedBy(key: string): readonly string[];
  /** Why the Service cannot have the address beside those that have it; `undefined` when it can. */
  whyNot(address: string, service: Service, wishes: Wishes): string | undefined;
  hold(address: string, service: Service, wishes: Wishes): void;
}

export function createHolders(): Holders {
  const byAddress = new Map<string, { service: Service; sharing: string | undefined }[]>();
  const byKey = new Map<string, string[]>();
  return {
    isTaken: (address) => byAddress.has(address),
    sharedBy: (key) => byKey.get(key) ?? [],
    whyNot(address, service, { sharing }) {
      for (const other of byAddress.get(address) ?? []) {
        const why = whyNotBeside(service, sharing, other.service, other.sharing);
        if (why !== undefined) return `${address} belongs to ${keyOf(other.service)}: ${why}`;
      }
      return undefined;
    },
    hold(address, service, { sharing }) {
      const holders = byAddress.get(address);
      if (holders === undefined) byAddress.set(address, [{ service, sharing }]);
      else holders.push({ service, sharing });
      if (sharing === undefined || holders !== undefined) return;
      byKey.set(sharing, [...(byKey.get(sharing) ?? []), address]);
    },
  };
}

function whyNotBeside(
  service: Service,
  key: string | undefined,
  other: Service,
  otherKey: string | undefined,
): string | undefined {
  if (key === undefined || otherKey === undefined) return `it is not shared (${sharingAnnotation})`;
  if (key !== otherKey) return `it is shared under another key, ${otherKey}`;
  const ports = portsOf(other);
  const clash = [...portsOf(service)].find((port) => ports.has(port));
  if (clash !== undefined) return `port ${clash} is taken on it`;
  const policy = service.spec.externalTrafficPolicy ?? "Cluster";
  if (policy !== (other.spec.externalTrafficPolicy ?? "Cluster")) {
    return "Services with one address need the same externalTrafficPolicy";
  }
  if (policy === "Local" && selectorOf(service) !== selectorOf(other)) {
    return "with externalTrafficPolicy Local, Services with one address need the same selector";
  }
  return undefined;
}

function portsOf({ spec }: Service): Set<string> {
  return new Set((spec.ports ?? []).map(({ port, protocol = "TCP" }) => `${port}/${protocol}`));
}

function selectorOf({ spec }: Service): string {
  return JSON.stringify(Object.entries(spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}
