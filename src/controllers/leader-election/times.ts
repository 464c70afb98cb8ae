/** In milliseconds; the names and defaults are upstream's (`--leader-elect-…`). */
export interface ElectionTimes {
  /** A leader that has not been heard of for so long has lost its place. Whole seconds. */
  readonly leaseDuration: number;
  /** A leader that could not renew for so long gives up by itself, well before others may follow. */
  readonly renewDeadline: number;
  /** Between two tries, to renew or to take over. */
  readonly retryPeriod: number;
}

export const defaultElectionTimes: ElectionTimes = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000 };

/** Candidates try up to so much later than they might, or they would all try at once. */
export const jitter = 1.2;

/** What is wrong with these times, in upstream's words (client-go `leaderelection.go`); `undefined` when nothing is. */
export function electionProblem({ leaseDuration, renewDeadline, retryPeriod }: ElectionTimes): string | undefined {
  if (leaseDuration <= renewDeadline) return "leaseDuration must be greater than renewDeadline";
  if (renewDeadline <= jitter * retryPeriod) return "renewDeadline must be greater than retryPeriod*JitterFactor";
  if (retryPeriod < 1) return "retryPeriod must be greater than zero";
  return leaseDuration < 1000 ? "leaseDuration must be at least a second" : undefined;
}
