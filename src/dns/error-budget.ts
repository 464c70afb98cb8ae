import type { Clock } from "#base/clock.ts";

/**
 * How many malformed packets of one address are answered each second. Two servers that take each other's complaints
 * for questions, or forged packets in another's name, come to rest here; an honest client never gets near it.
 */
export interface ErrorBudget {
  spend(address: string): boolean;
}

const perSecond = 50;
const addressLimit = 4_096;

export function createErrorBudget(clock: Clock): ErrorBudget {
  const spent = new Map<string, number>();
  let second = 0;
  return {
    spend(address) {
      const now = Math.floor(clock.monotonic() / 1000);
      if (now !== second) spent.clear();
      second = now;
      const before = spent.get(address) ?? 0;
      if (before >= perSecond || (before === 0 && spent.size >= addressLimit)) return false;
      spent.set(address, before + 1);
      return true;
    },
  };
}
