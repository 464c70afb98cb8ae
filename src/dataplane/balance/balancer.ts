/** Chooses an endpoint for a request that prefers none. */
export interface Balancer<E> {
  /** One of `endpoints` that `usable` accepts, or `undefined` when it accepts none. The list may change between calls. */
  next(endpoints: readonly E[], usable: (endpoint: E) => boolean): E | undefined;
}

/** From 0 up to, not including, 1. */
export type Random = () => number;

/**
 * Of two endpoints taken at random the one with the lower score: nearly as good as the lowest of all, and it does not send
 * everybody to the same one (Mitzenmacher, "The power of two choices").
 */
export function createTwoChoices<E>(scoreOf: (endpoint: E) => number, random: Random): Balancer<E> {
  return {
    next(endpoints, usable) {
      const { length } = endpoints;
      const first = usableFrom(endpoints, Math.floor(random() * length), usable);
      if (first === undefined || length < 2) return first;
      const at = endpoints.indexOf(first);
      const second = usableFrom(endpoints, (at + 1 + Math.floor(random() * (length - 1))) % length, usable);
      return second === undefined || scoreOf(first) <= scoreOf(second) ? first : second;
    },
  };
}

function usableFrom<E>(endpoints: readonly E[], start: number, usable: (endpoint: E) => boolean): E | undefined {
  for (let step = 0; step < endpoints.length; step += 1) {
    const endpoint = endpoints[(start + step) % endpoints.length];
    if (endpoint !== undefined && usable(endpoint)) return endpoint;
  }
  return undefined;
}
