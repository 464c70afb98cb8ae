import type { Clock } from "#base/clock.ts";

/** How long a started program may take until it listens; then it counts as ready whether it does or not. */
const limitMs = 5_000;
const firstWaitMs = 10;
const longestWaitMs = 200;

export interface Settling {
  readonly clock: Clock;
  /** Whether every port that the container declares takes connections. */
  readonly listens: () => Promise<boolean>;
  readonly settled: () => void;
}

/**
 * Waits, for a container without a readiness probe, until it listens on the ports it declares. Upstream counts such a
 * container as ready the moment its process exists, and the first connections to it are refused; here that moment is
 * put off by as much as the program needs to open its ports, five seconds at most. Returns how to stop it.
 */
export function startSettling({ clock, listens, settled }: Settling): () => void {
  const begun = clock.monotonic();
  let stopped = false;
  let wait = firstWaitMs;
  let cancel = () => {};

  async function look(): Promise<void> {
    const done = (await listens()) || clock.monotonic() - begun >= limitMs;
    if (stopped) return;
    if (done) return settled();
    cancel = clock.after(wait, () => void look());
    wait = Math.min(longestWaitMs, wait * 1.3);
  }

  void look();
  return () => {
    stopped = true;
    cancel();
  };
}
