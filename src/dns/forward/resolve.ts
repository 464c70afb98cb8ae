import type { Clock } from "#base/clock.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import type { WireName } from "#wire/dns/name.ts";
import type { DnsCounters } from "../metrics.ts";
import { cacheKey, type Cache, type Resolved } from "./cache.ts";
import type { Forwarder } from "./forward.ts";
import type { Asked } from "./sockets.ts";

export type Resolution =
  | ({ readonly got: "answer" } & Resolved)
  | { readonly got: "failure"; readonly reason: string }
  | { readonly got: "rejected" };

/** Names outside the cluster: from the cache, or asked once for all who wait for the same. */
export interface Resolver {
  /** Whether anyone can be asked for the name. */
  canAsk(name: WireName): boolean;
  /** At once, or `undefined` when it must be asked. */
  cached(asked: Asked): Resolved | undefined;
  resolve(asked: Asked): Promise<Resolution>;
}

export interface ResolverOptions {
  readonly forwarderFor: (name: WireName) => Forwarder | undefined;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly counters: DnsCounters;
}

/** A client waits this long before it gets an answer whose time is over (RFC 8767 5: at most 1.8 s is usual). */
const stalePatience = 1_800;
/** After a failure the upstreams are left in peace for this long, while there is an old answer (RFC 8767 5). */
const failureRest = 5_000;
const restingLimit = 10_000;

export function createResolver({ forwarderFor, cache, clock, counters }: ResolverOptions): Resolver {
  const flights = new Map<string, Promise<Resolution>>();
  /** Question -> until when it is not asked again, as it failed. */
  const resting = new Map<string, number>();

  async function ask(key: string, asked: Asked): Promise<Resolution> {
    const forwarder = forwarderFor(asked.question.name);
    if (forwarder === undefined) return { got: "failure", reason: "no upstream is left" };
    const forwarded = await forwarder.ask(asked);
    if (forwarded.got !== "answer") return failed(key, forwarded);
    const { message } = forwarded;
    // An upstream that cannot answer must not put an end to what it said before.
    const old = message.rcode === rcodes.SERVFAIL || message.rcode === rcodes.REFUSED ? cache.stale(key) : undefined;
    if (old !== undefined) return failed(key, { got: "answer", ...old });
    return { got: "answer", ...cache.put(key, asked, message) };
  }

  function failed(key: string, resolution: Resolution): Resolution {
    if (resolution.got === "rejected") return resolution;
    if (resting.size >= restingLimit) resting.clear();
    resting.set(key, clock.monotonic() + failureRest);
    return resolution;
  }

  function fly(key: string, asked: Asked): Promise<Resolution> {
    const found = flights.get(key);
    if (found !== undefined) return found;
    const flight = ask(key, asked).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  }

  /** The old answer when the upstreams fail, or take longer than a client likes to wait. */
  async function orStale(key: string, flight: Promise<Resolution>): Promise<Resolution> {
    const old = (): Resolution | undefined => {
      const stale = cache.stale(key);
      return stale && { got: "answer", ...stale };
    };
    let cancel: (() => void) | undefined;
    const late = new Promise<"late">((resolve) => (cancel = clock.after(stalePatience, () => resolve("late"))));
    const first = await Promise.race([flight, late]);
    cancel?.();
    if (first !== "late" && first.got === "answer") return first;
    return old() ?? flight;
  }

  return {
    canAsk: (name) => forwarderFor(name) !== undefined,
    cached(asked) {
      const key = cacheKey(asked);
      const found = cache.get(key);
      if (found?.refresh === true) {
        counters.cachePrefetches = (counters.cachePrefetches ?? 0) + 1;
        void fly(key, asked);
      }
      return found?.resolved;
    },
    async resolve(asked) {
      const key = cacheKey(asked);
      if (!cache.hasStale(key)) return fly(key, asked);
      const until = resting.get(key) ?? 0;
      if (until <= clock.monotonic()) {
        resting.delete(key);
        return orStale(key, fly(key, asked));
      }
      const stale = cache.stale(key);
      return stale === undefined ? fly(key, asked) : { got: "answer", ...stale };
    },
  };
}
