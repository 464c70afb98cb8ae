import { isIP } from "node:net";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { createWorkqueue } from "#base/workqueue.ts";
import { parseKey } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { Client } from "#client/contract.ts";

/** Writes the entry's addresses into `status.loadBalancer` of the Ingresses that are routed. */
export interface StatusWriter {
  /** The Ingress may need another status now. */
  check(key: string): void;
  publish(addresses: readonly string[]): void;
  stop(): Promise<void>;
}

export function createStatusWriter(options: {
  client: Client;
  log: Log;
  clock: Clock;
  addresses: readonly string[];
  /** The Ingress, if it is one that is routed. */
  routed: (key: string) => Ingress | undefined;
}): StatusWriter {
  const { client, log, clock, routed } = options;
  let wanted = statusOf(options.addresses);

  const queue = createWorkqueue({
    clock,
    concurrency: 4,
    async work(key) {
      const ingress = routed(key);
      if (ingress === undefined || wanted.length === 0 || isSame(ingress, wanted)) return;
      try {
        const patch = { status: { loadBalancer: { ingress: wanted } } };
        await client.patch("Ingress", parseKey(key), patch, {
          subresource: "status",
          fieldManager: "fairlead-ingress",
        });
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
      }
    },
    failed(key, error, retryInMs) {
      log.warn({ ingress: key, error: String(error), retryInMs }, "writing the status failed, trying again");
    },
  });

  return {
    check: (key) => queue.add(key),
    publish(addresses) {
      wanted = statusOf(addresses);
    },
    stop: () => queue.stop(),
  };
}

type Addresses = { ip?: string; hostname?: string }[];

function statusOf(addresses: readonly string[]): Addresses {
  return [...new Set(addresses)].sort().map((address) => {
    return isIP(address) === 0 ? { hostname: address } : { ip: address };
  });
}

function isSame(ingress: Ingress, wanted: Addresses): boolean {
  const found = ingress.status?.loadBalancer?.ingress ?? [];
  return (
    found.length === wanted.length &&
    found.every(({ ip, hostname }, index) => ip === wanted[index]?.ip && hostname === wanted[index]?.hostname)
  );
}
