import type { Clock } from "#base/clock.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import type { WireName } from "#wire/dns/name.ts";
import type { DnsCounters } from "../metrics.ts";
import { cacheKey, type Cache, type Resolved } from "./cache.ts";
import type { Forwarded, Forwarder } from "./forward.ts";
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
  /** Calls `done` once, perhaps at once. */
  resolve(asked: Asked, done: (resolution: Resolution) => void): void;
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
  /** Question -> all who wait for its answer. */
  const flights = new Map<string, ((resolution: Resolution) => void)[]>();
  /** Question -> until when it is not asked again, as it failed. */
  const resting = new Map<string, number>();
  let last: { readonly asked: Asked; readonly key: string } | undefined;

  /** Made once for a question that is looked for first and asked then. */
  function keyOf(asked: Asked): string {
    if (last?.asked !== asked) last = { asked, key: cacheKey(asked) };
    return last.key;
  }

  function conclude(key: string, asked: Asked, forwarded: Forwarded): Resolution {
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

  function fly(key: string, asked: Asked, done: (resolution: Resolution) => void): void {
    const found = flights.get(key);
    if (found !== undefined) {
      found.push(done);
      return;
    }
    const forwarder = forwarderFor(asked.question.name);
    if (forwarder === undefined) return done({ got: "failure", reason: "no upstream is left" });
    const waiting = [done];
    flights.set(key, waiting);
    forwarder.ask(asked, (forwarded) => {
      flights.delete(key);
      let resolution: Resolution;
      try {
        resolution = conclude(key, asked, forwarded);
      } catch (error) {
        resolution = { got: "failure", reason: String(error) };
      }
      for (const each of waiting) each(resolution);
    });
  }

  /** The old answer when the upstreams fail, or take longer than a client likes to wait. */
  function orStale(key: string, asked: Asked, done: (resolution: Resolution) => void): void {
    let given = false;
    const give = (resolution: Resolution): void => {
      if (given) return;
      given = true;
      done(resolution);
    };
    const old = (): Resolution | undefined => {
      const stale = cache.stale(key);
      return stale && { got: "answer", ...stale };
    };
    const cancel = clock.after(stalePatience, () => {
      const stale = old();
      if (stale !== undefined) give(stale);
    });
    fly(key, asked, (first) => {
      cancel();
      if (!given) give(first.got === "answer" ? first : (old() ?? first));
    });
  }

  return {
    canAsk: (name) => forwarderFor(name) !== undefined,
    cached(asked) {
      const key = keyOf(asked);
      const found = cache.get(key);
      if (found?.refresh === true) {
        counters.cachePrefetches += 1;
        fly(key, asked, () => undefined);
      }
      return found?.resolved;
    },
    resolve(asked, done) {
      const key = keyOf(asked);
      if (!cache.hasStale(key)) return fly(key, asked, done);
      const until = resting.get(key) ?? 0;
      if (until <= clock.monotonic()) {
        resting.delete(key);
        return orStale(key, asked, done);
      }
      const stale = cache.stale(key);
      if (stale === undefined) fly(key, asked, done);
      else done({ got: "answer", ...stale });
    },
  };
}
