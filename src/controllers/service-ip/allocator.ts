import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Admission } from "#api/admission.ts";
import type { IpFamily, Service } from "#api/core/service/kind.ts";
import type { Client } from "#client/contract.ts";
import { createServiceIpAdmission } from "./admission.ts";
import { adoptAddresses, followAddresses } from "./follow.ts";
import { createAddressPool } from "./pool.ts";

/** The admission that gives Services their cluster IPs, and what keeps it informed. */
export interface ServiceIpAllocator extends Admission {
  /**
   * Learns the ranges and the addresses of the API and makes the IPAddresses that Services lack. Nobody may write before
   * it resolves; answers the Services whose address another one has.
   */
  open(): Promise<Service[]>;
  /** How many addresses are taken. */
  readonly taken: number;
  stop(): void;
}

export interface ServiceIpAllocatorOptions {
  /** The families of the cluster, the primary one first. */
  families: readonly [IpFamily, ...IpFamily[]];
  /** Asked for when needed, since the API server starts with its admissions. */
  client: () => Client;
  log: Log;
  clock: Clock;
  /** 0 to 1, exclusive. */
  random?: () => number;
}

export function createServiceIpAllocator(options: ServiceIpAllocatorOptions): ServiceIpAllocator {
  const { families, client, log, clock, random = Math.random } = options;
  const pool = createAddressPool(random);
  let following: { stop(): void } | undefined;
  return {
    ...createServiceIpAdmission({ pool, families }),
    async open() {
      const { items } = await client().list("Service");
      const twice = await adoptAddresses(client(), items);
      following = await followAddresses(pool, client(), { log, clock });
      return twice;
    },
    get taken() {
      return pool.taken;
    },
    stop: () => following?.stop(),
  };
}
