/** Waiting times that double from `base` to `limit`, with a share of chance so that many waiters do not march in step. */
export interface Backoff {
  /** The next waiting time in milliseconds. */
  next(): number;
  /** Called after a success: the next failure starts from `base` again. */
  reset(): void;
}

export interface BackoffOptions {
  base: number;
  limit: number;
  /** Share of the time that is random, 0 to 1. */
  jitter?: number;
  random?: () => number;
}

export function createBackoff({ base, limit, jitter = 0.2, random = Math.random }: BackoffOptions): Backoff {
  let attempt = 0;
  return {
    next() {
      const full = Math.min(limit, base * 2 ** attempt);
      if (full < limit) attempt += 1;
      return full * (1 - jitter) + full * jitter * random();
    },
    reset() {
      attempt = 0;
    },
  };
}
