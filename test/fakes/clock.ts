import type { Clock } from "#base/clock.ts";

/** A clock that stands still until a test moves it. Timers that are due run in order while it moves. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
  /** How many timers wait. */
  pending(): number;
}

export function manualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsed = 0;
  let timers: { at: number; callback: () => void }[] = [];
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    after(ms, callback) {
      const timer = { at: elapsed + ms, callback };
      timers.push(timer);
      return () => (timers = timers.filter((other) => other !== timer));
    },
    advance(ms) {
      const until = elapsed + ms;
      for (;;) {
        const due = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers = timers.filter((timer) => timer !== due);
        elapsed = Math.max(elapsed, due.at);
        due.callback();
      }
      elapsed = until;
    },
    pending: () => timers.length,
  };
}
