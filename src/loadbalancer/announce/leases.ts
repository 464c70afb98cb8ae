import { formatAddress, parseAddress } from "#base/cidr.ts";
import { rfc3339Micro, type Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Lease } from "#api/coordination/lease/kind.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";
import { leaseSeconds, type SeenLease } from "./election.ts";

const namespace = "kube-system";
const prefix = "load-balancer-";
const label = "fairlead.dev/outside-address";

/** The Leases by which nodes agree on who announces what: one an address, in `kube-system`. */
export interface AddressLeases {
  readonly synced: Promise<void>;
  seen(address: string): SeenLease;
  /** The addresses that have a Lease. */
  addresses(): string[];
  /** Writes this node as holder, unless somebody was faster: answers whether it has the address now. */
  write(address: string, holder: string): Promise<boolean>;
  /** Lets go of an address, for others to take at once; does nothing when it is not the holder's. */
  giveBack(address: string, holder: string): Promise<void>;
  /** Removes the Lease of an address that nobody has any more. */
  remove(address: string): Promise<void>;
  stop(): void;
}

export interface LeasesOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** An address has another holder than before. */
  readonly changed: (address: string) => void;
}

export function followLeases({ client, clock, log, changed }: LeasesOptions): AddressLeases {
  const scope = { namespace, labelSelector: label };
  const leases = startInformer(client, "Lease", { scope, log, clock });
  const changedAt = new Map<string, number>();
  const start = clock.monotonic();
  const unsubscribe = leases.onChange(({ before, after }) => {
    const { name } = (after ?? before).metadata;
    if (after === undefined) written.delete(name);
    // That a Lease is not there any more is seen by what comes next.
    changedAt.set(name, clock.monotonic());
    const address = addressOf(name);
    if (address !== undefined && before?.spec?.holderIdentity !== after?.spec?.holderIdentity) changed(address);
  });
  /** What this process wrote last, until the watch brings it. */
  const written = new Map<string, Lease>();

  function find(address: string): Lease | undefined {
    const name = nameOf(address);
    const seen = leases.get(`${namespace}/${name}`);
    const own = written.get(name);
    if (own === undefined || isNewer(own, seen)) return own ?? seen;
    written.delete(name);
    return seen;
  }

  async function put(address: string, holder: string): Promise<boolean> {
    const name = nameOf(address);
    const before = find(address);
    const now = rfc3339Micro(clock.now());
    const begun = clock.monotonic();
    const isSame = before?.spec?.holderIdentity === holder;
    const spec = {
      holderIdentity: holder,
      leaseDurationSeconds: leaseSeconds,
      renewTime: now,
      acquireTime: isSame ? (before?.spec?.acquireTime ?? now) : now,
      leaseTransitions: (before?.spec?.leaseTransitions ?? 0) + (before === undefined || isSame ? 0 : 1),
    };
    try {
      const metadata = { namespace, name, labels: { [label]: "" } };
      const made =
        before === undefined
          ? await client.create("Lease", { metadata, spec })
          : await client.update("Lease", { ...before, spec });
      written.set(name, made);
      changedAt.set(name, begun);
      return true;
    } catch (error) {
      if (isApiError(error, "Conflict", "AlreadyExists", "NotFound")) return false;
      throw error;
    }
  }

  return {
    synced: leases.synced,
    seen(address) {
      const { holderIdentity = "", leaseDurationSeconds = leaseSeconds } = find(address)?.spec ?? {};
      const at = changedAt.get(nameOf(address)) ?? start;
      return { holder: holderIdentity, seconds: leaseDurationSeconds, changedAt: at };
    },
    addresses: () => leases.list().flatMap(({ metadata }) => addressOf(metadata.name) ?? []),
    write: put,
    async giveBack(address, holder) {
      if (find(address)?.spec?.holderIdentity === holder) await put(address, "");
    },
    async remove(address) {
      try {
        await client.delete("Lease", { namespace, name: nameOf(address) });
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
      }
    },
    stop() {
      unsubscribe();
      leases.stop();
    },
  };
}

function isNewer(a: Lease, b: Lease | undefined): boolean {
  const [mine, theirs] = [a, b].map((lease) => BigInt(lease?.metadata.resourceVersion ?? "0"));
  return (mine ?? 0n) > (theirs ?? 0n);
}

/** `load-balancer-172.31.0.1`; of IPv6 all eight groups, since a name must not end with a dash. */
function nameOf(address: string): string {
  const parsed = parseAddress(address);
  if (parsed?.family !== 6) return prefix + address;
  const groups = Array.from({ length: 8 }, (_, index) => (parsed.value >> BigInt(112 - 16 * index)) & 0xffffn);
  return prefix + groups.map((group) => group.toString(16)).join("-");
}

function addressOf(name: string): string | undefined {
  const text = name.slice(prefix.length);
  const parsed = name.startsWith(prefix) ? parseAddress(text.replaceAll("-", ":")) : undefined;
  return parsed === undefined ? undefined : formatAddress(parsed);
}
