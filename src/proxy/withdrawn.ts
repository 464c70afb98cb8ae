import { parseAddress, type Family } from "#base/cidr.ts";
import type { Clock } from "#base/clock.ts";
import type { ServiceSource } from "./source.ts";

/** A pod is not kept waiting for longer than this by a node that cannot follow. */
const limitMs = 5_000;

export interface Withdrawal {
  readonly source: ServiceSource;
  /** Resolves when a revision is in force on every node. */
  readonly inForce: (revision: string) => Promise<void>;
  readonly clock: Clock;
}

/**
 * Resolves when no rule of any node sends a new connection to this address as a ready endpoint, or after five seconds. A pod
 * that is stopped only then refuses nobody: upstream leaves the race between the two to a `preStop` sleep.
 */
export async function waitWithdrawn({ source, inForce, clock }: Withdrawal, address: string): Promise<void> {
  const family = parseAddress(address)?.family ?? 4;
  let forget = () => {};
  let cancel = () => {};
  const late = new Promise<void>((resolve) => (cancel = clock.after(limitMs, resolve)));
  const gone = new Promise<void>((resolve) => {
    const look = () => {
      if (!isOffered(source, address, family)) resolve();
    };
    forget = source.subscribe(look, family);
    look();
  }).then(() => inForce(source.table(family).revision));
  try {
    // A proxy that is being stopped puts nothing in force any more.
    await Promise.race([gone.catch(() => {}), late]);
  } finally {
    forget();
    cancel();
  }
}

/** `publishNotReadyAddresses` offers what is terminating for as long as there is a pod: that is no reason to wait. */
function isOffered(source: ServiceSource, address: string, family: Family): boolean {
  for (const { endpoints } of source.table(family).ports.values()) {
    if (endpoints.some((endpoint) => endpoint.ready && !endpoint.terminating && endpoint.address === address))
      return true;
  }
  return false;
}
