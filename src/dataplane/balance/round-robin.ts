/** Chooses among endpoints in turn. */
export interface RoundRobin {
  /**
   * The next of `endpoints` that `usable` accepts, or `undefined` when it accepts none. Each call goes on where the last
   * one stopped, also when the list has changed in between.
   */
  next<E>(endpoints: readonly E[], usable: (endpoint: E) => boolean): E | undefined;
}

/** `start` sets workers apart, so that they do not all begin with the first endpoint. */
export function createRoundRobin(start: number): RoundRobin {
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
