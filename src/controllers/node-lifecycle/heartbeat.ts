import type { Clock } from "#base/clock.ts";

/** How long a node may be silent before it counts as unreachable (upstream's node-monitor-grace-period). */
export const graceMs = 40_000;

/**
 * When each node was last heard, by this machine's clock: what counts is that its Lease changed, not what time it says,
 * so neither a skewed clock nor a restart of the controllers makes a living node look dead.
 */
export interface Heartbeats {
  heard(node: string): void;
  forget(node: string): void;
  /** Milliseconds until the node counts as silent; 0 when it does. A node never asked about starts now. */
  silentIn(node: string): number;
}

export function createHeartbeats(clock: Clock): Heartbeats {
  const last = new Map<string, number>();
  return {
    heard: (node) => void last.set(node, clock.monotonic()),
    forget: (node) => void last.delete(node),
    silentIn(node) {
      const at = last.get(node) ?? clock.monotonic();
      last.set(node, at);
      return Math.max(0, at + graceMs - clock.monotonic());
    },
  };
}
