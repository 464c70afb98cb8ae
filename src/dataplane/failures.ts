/**
 * A request that could not be served as its route wanted. The hops stand in the order a request takes them, so that the
 * record reads `route X: backend Y: endpoint 10.0.0.3:80: refused`.
 */
export interface FailureRecord {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly route: string;
  readonly backend?: string;
  readonly endpoint?: string;
  /** What happened, e.g. `refused`, `connect timed out`, `no endpoints`. */
  readonly reason: string;
  /** What the client was answered; 0 when the answer had begun already and the connection was closed instead, or when
   * another endpoint took the request. */
  readonly status: number;
}

/** The last `capacity` records. */
export interface FailureRing {
  add(record: FailureRecord): void;
  /** Oldest first. */
  list(): readonly FailureRecord[];
}

export function createFailureRing(capacity = 256): FailureRing {
  const records: FailureRecord[] = [];
  let next = 0;
  return {
    add(record) {
      records[next] = record;
      next = (next + 1) % capacity;
    },
    list: () => (records.length < capacity ? [...records] : [...records.slice(next), ...records.slice(0, next)]),
  };
}

/** `route X: backend Y: endpoint 10.0.0.3:80: refused` */
export function renderFailure({ route, backend, endpoint, reason }: FailureRecord): string {
  const hops = [`route ${route}`];
  if (backend !== undefined) hops.push(`backend ${backend}`);
  if (endpoint !== undefined) hops.push(`endpoint ${endpoint}`);
  return [...hops, reason].join(": ");
}
