import { parseAddress } from "#base/cidr.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";
import { heldAddresses, parentKeyOf, renderIpAddress } from "./objects.ts";
import type { AddressPool } from "./pool.ts";
import { openRanges } from "./ranges.ts";

/** Keeps a pool in step with the ServiceCIDRs and IPAddresses of the API. Resolves when it knows all of them. */
export async function followAddresses(
  pool: AddressPool,
  client: Client,
  options: { log: Log; clock: Clock },
): Promise<{ stop(): void }> {
  const serviceCidrs = startInformer(client, "ServiceCIDR", options);
  const addresses = startInformer(client, "IPAddress", options);
  addresses.onChange(({ type, before, after }) => pool.setHeld((after ?? before).metadata.name, type !== "removed"));
  serviceCidrs.onChange(() => pool.setRanges(openRanges(serviceCidrs.list())));
  await Promise.all([serviceCidrs.synced, addresses.synced]);
  return {
    stop() {
      serviceCidrs.stop();
      addresses.stop();
    },
  };
}

/**
 * Makes the IPAddresses that Services lack, as of a store from before there were any. To be called before anybody may
 * write; answers the Services whose address another one has.
 */
export async function adoptAddresses(client: Client, services: readonly Service[]): Promise<Service[]> {
  const { items } = await client.list("IPAddress");
  const parents = new Map(items.map((address) => [address.metadata.name, parentKeyOf(address)]));
  const twice = new Set<Service>();
  for (const service of services) {
    for (const text of heldAddresses(service).filter((each) => parseAddress(each) !== undefined)) {
      if (parents.has(text)) {
        if (parents.get(text) !== keyOf(service)) twice.add(service);
        continue;
      }
      parents.set(text, keyOf(service));
      await client.create("IPAddress", renderIpAddress(text, service));
    }
  }
  return [...twice];
}
