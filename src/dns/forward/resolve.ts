import { cacheKey, type Cache, type Resolved } from "./cache.ts";
import type { Forwarder } from "./forward.ts";
import type { Asked } from "./sockets.ts";

export type Resolution =
  | ({ readonly got: "answer" } & Resolved)
  | { readonly got: "failure"; readonly reason: string }
  | { readonly got: "rejected" };

/** Names outside the cluster: from the cache, or asked once for all who wait for the same. */
export interface Resolver {
  /** At once, or `undefined` when it must be asked. */
  cached(asked: Asked): Resolved | undefined;
  resolve(asked: Asked): Promise<Resolution>;
}

export function createResolver(forwarder: Forwarder, cache: Cache): Resolver {
  const flights = new Map<string, Promise<Resolution>>();

  async function fly(key: string, asked: Asked): Promise<Resolution> {
    const forwarded = await forwarder.ask(asked);
    return forwarded.got === "answer" ? { got: "answer", ...cache.put(key, asked, forwarded.message) } : forwarded;
  }

  return {
    cached: (asked) => cache.get(cacheKey(asked)),
    resolve(asked) {
      const key = cacheKey(asked);
      const found = flights.get(key);
      if (found !== undefined) return found;
      const flight = fly(key, asked).finally(() => flights.delete(key));
      flights.set(key, flight);
      return flight;
    },
  };
}
