import type { Balancer } from "./balancer.ts";

/**
 * In turn: each call goes on where the last one stopped, also when the list has changed in between. `start` sets workers
 * apart, so that they do not all begin with the first endpoint.
 */
export function createRoundRobin<E>(start: number): Balancer<E> {
  let turn = start;
  return {
    next(endpoints, usable) {
      const { length } = endpoints;
      for (let step = 0; step < length; step += 1) {
        const endpoint = endpoints[turn % length];
        turn = turn >= 0x3fffffff ? 0 : turn + 1;
        if (endpoint !== undefined && usable(endpoint)) return endpoint;
      }
      return undefined;
    },
  };
}
