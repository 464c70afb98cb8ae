/** What an endpoint gets at least, as a part of its share. */
const least = 0.1;

/** The part of its share that an endpoint gets that joined at `joinedAt`: it grows evenly over `slowStartMs`. */
export function shareOf(joinedAt: number | undefined, slowStartMs: number, now: number): number {
  if (joinedAt === undefined || now - joinedAt >= slowStartMs) return 1;
  return Math.max(least, (now - joinedAt) / slowStartMs);
}
