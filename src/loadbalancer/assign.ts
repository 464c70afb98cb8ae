import { addressAt, cidrContains, cidrSize, formatAddress, parseAddress, type Cidr } from "#base/cidr.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";

/** Which outside address each Service of type LoadBalancer has, or why it has none. */
export type Assignment =
  | { readonly service: Service; readonly address: string }
  | { readonly service: Service; readonly reason: PendingReason; readonly message: string };

/** The reasons of the events that `<pending>` Services carry. */
export type PendingReason = "NoAddressPool" | "AddressNotInPool" | "AddressInUse" | "AddressPoolExhausted";

/**
 * Gives every Service of type LoadBalancer one address of the pools: the one it has, else the one it asks for in
 * `spec.loadBalancerIP`, else the first free one. Older Services choose first, so an address never moves to a newcomer.
 * Services with a `loadBalancerClass` belong to somebody else.
 */
export function assignAddresses(services: readonly Service[], pools: readonly Cidr[]): Assignment[] {
  const ours = services.filter(({ spec }) => spec.type === "LoadBalancer" && spec.loadBalancerClass === undefined);
  ours.sort((a, b) => rank(a).localeCompare(rank(b)));
  const holders = new Map<string, Service>();
  for (const service of ours) {
    const held = heldAddress(service);
    const wish = service.spec.loadBalancerIP;
    if (held === undefined || holders.has(held) || !inPools(held, pools)) continue;
    if (wish === undefined || wish === "" || wish === held) holders.set(held, service);
  }
  const assigned = new Map([...holders].map(([address, service]) => [service, address]));
  return ours.map((service): Assignment => {
    const address = assigned.get(service);
    if (address !== undefined) return { service, address };
    return choose(service, pools, holders);
  });
}

function choose(service: Service, pools: readonly Cidr[], holders: Map<string, Service>): Assignment {
  const pending = (reason: PendingReason, message: string): Assignment => ({ service, reason, message });
  if (pools.length === 0) {
    return pending(
      "NoAddressPool",
      "no pool of outside addresses is configured; start with --load-balancer-cidr RANGE",
    );
  }
  const wish = service.spec.loadBalancerIP;
  if (wish !== undefined && wish !== "") {
    const holder = holders.get(wish);
    if (!inPools(wish, pools)) return pending("AddressNotInPool", `spec.loadBalancerIP ${wish} is in no pool`);
    if (holder !== undefined) return pending("AddressInUse", `spec.loadBalancerIP ${wish} belongs to ${keyOf(holder)}`);
    holders.set(wish, service);
    return { service, address: wish };
  }
  for (const pool of pools) {
    // The first and the last address of a range name the range itself and everybody in it.
    const last = cidrSize(pool) - 2n;
    for (let offset = 1n; offset <= last; offset += 1n) {
      const address = formatAddress(addressAt(pool, offset));
      if (holders.has(address)) continue;
      holders.set(address, service);
      return { service, address };
    }
  }
  return pending("AddressPoolExhausted", "every address of every pool is in use");
}

function rank({ metadata }: Service): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.namespace}/${metadata.name}`;
}

/** The address in the Service's status. */
export function heldAddress({ status }: Service): string | undefined {
  return status?.loadBalancer?.ingress?.[0]?.ip;
}

function inPools(text: string, pools: readonly Cidr[]): boolean {
  const address = parseAddress(text);
  return address !== undefined && pools.some((pool) => cidrContains(pool, address));
}
