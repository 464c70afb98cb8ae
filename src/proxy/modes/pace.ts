import type { Clock } from "#base/clock.ts";

/** Does something dear now and then: it takes at most one part in `share` of the time. */
export interface Pace {
  /** Runs the work, or answers `undefined` when it is not due yet. */
  run<T>(work: () => Promise<T>): Promise<T | undefined>;
}

export function createPace(clock: Clock, share: number): Pace {
  let next = 0;
  return {
    async run(work) {
      const start = clock.monotonic();
      if (start < next) return undefined;
      try {
        return await work();
      } finally {
        const end = clock.monotonic();
        next = end + share * (end - start);
      }
    },
  };
}
