/** Entries for all limits together; a client of a limit is one. */
const entries = 1 << 16;

/** How many places an entry may take: when all are in use, the one that matters least makes room. */
export const ways = 8;

/** What the workers share to count clients by: fixed in size, whoever comes. */
export interface MeterMemory {
  /** Which client of which limit an entry is for: a keyed digest, 0 for nobody. */
  readonly owners: BigUint64Array<SharedArrayBuffer>;
  /** When the requests of an entry will have drained, in microseconds since the epoch. */
  readonly drained: BigInt64Array<SharedArrayBuffer>;
  /** Requests under way, one number a worker for each entry. */
  readonly underWay: Int32Array<SharedArrayBuffer>;
  readonly workers: number;
  /** Keeps clients from choosing whose entry they meet. */
  readonly seed: string;
}

export function createMeterMemory(workers: number, seed: string): MeterMemory {
  const shared = (bytes: number) => new SharedArrayBuffer(entries * bytes);
  return {
    owners: new BigUint64Array(shared(8)),
    drained: new BigInt64Array(shared(8)),
    underWay: new Int32Array(shared(4 * workers)),
    workers,
    seed,
  };
}

/** A worker died, and with it what it had under way. */
export function forgetWorker({ underWay, workers }: MeterMemory, worker: number): void {
  for (let at = worker; at < underWay.length; at += workers) Atomics.store(underWay, at, 0);
}
