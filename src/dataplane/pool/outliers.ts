import type { OutlierRules } from "../table.ts";

/** As Envoy's outlier detection has them: five gateway errors in a row, 30 s, at most five minutes, a tenth at once. */
export const defaultOutliers: OutlierRules = { failures: 5, ejectMs: 30_000, mostMs: 300_000, share: 0.1 };

/** Below this share of usable endpoints all of them are used again: the few left could not carry the whole load. */
export const panicShare = 0.5;

/** What is remembered of an endpoint that fails. */
export interface Suspect {
  failuresInARow: number;
  /** Left out until then, in `Deadlines.now` time. */
  ejectedUntil: number;
  /** It fails its health check. */
  readonly isDown: boolean;
  /** How often it was, less once for each `ejectMs` that it then did well. */
  ejections: number;
}

/** Whether nothing speaks against sending it a request. */
export function isIn({ isDown, ejectedUntil }: Suspect, now: number): boolean {
  return !isDown && ejectedUntil <= now;
}

/**
 * Notes a failure of one of `all`. Returns for how long it is left out from now on, 0 when it is not: it did not fail
 * often enough, it is out already, as many as may be are out, or there is no other.
 */
export function noteFailure(suspect: Suspect, all: readonly Suspect[], rules: OutlierRules, now: number): number {
  if (suspect.ejectedUntil > now) return 0;
  suspect.failuresInARow += 1;
  if (rules.failures === 0 || suspect.failuresInARow < rules.failures || all.length < 2) return 0;
  const out = all.filter(({ ejectedUntil }) => ejectedUntil > now).length;
  if (out >= Math.max(1, Math.floor(all.length * rules.share))) return 0;
  const calm = Math.floor((now - suspect.ejectedUntil) / rules.ejectMs);
  suspect.ejections = Math.max(0, suspect.ejections - calm) + 1;
  suspect.failuresInARow = 0;
  const ms = Math.min(rules.ejectMs * suspect.ejections, rules.mostMs);
  suspect.ejectedUntil = now + ms;
  return ms;
}
