import { hash } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import { ways, type MeterMemory } from "./memory.ts";

/** A limit on how fast requests may come. */
export interface Rate {
  /** Milliseconds between two requests at the full rate. */
  readonly intervalMs: number;
  /** How many requests may come at once beyond that. */
  readonly burst: number;
}

/** Counts the requests of clients in memory that all workers share. */
export class Meter {
  private readonly memory: MeterMemory;
  private readonly worker: number;
  private readonly clock: Clock;

  constructor(memory: MeterMemory, worker: number, clock: Clock) {
    this.memory = memory;
    this.worker = worker;
    this.clock = clock;
  }

  /** Takes one more request of `key` if the rate allows it: a leaky bucket, as nginx's `limit_req` with `nodelay`. */
  take(key: string, { intervalMs, burst }: Rate): boolean {
    const { drained } = this.memory;
    const now = BigInt(Math.round(this.clock.now() * 1000));
    const interval = BigInt(Math.max(1, Math.round(intervalMs * 1000)));
    const room = interval * BigInt(burst);
    const entry = this.entryOf(key, now);
    if (entry === undefined) return true;
    for (;;) {
      const before = Atomics.load(drained, entry);
      // Beyond what a bucket can hold: the clock was set back.
      const from = before < now || before > now + room + interval ? now : before;
      if (from - now > room) return false;
      if (Atomics.compareExchange(drained, entry, before, from + interval) === before) return true;
    }
  }

  /** Takes one more request that is under way, unless `most` are; returns how to end it. */
  enter(key: string, most: number): (() => void) | undefined {
    const { underWay, workers } = this.memory;
    const entry = this.entryOf(key, BigInt(Math.round(this.clock.now() * 1000)));
    if (entry === undefined) return () => {};
    const own = entry * workers + this.worker;
    Atomics.add(underWay, own, 1);
    if (this.underWayAt(entry) <= most) return () => void Atomics.sub(underWay, own, 1);
    Atomics.sub(underWay, own, 1);
    return undefined;
  }

  private underWayAt(entry: number): number {
    const { underWay, workers } = this.memory;
    let sum = 0;
    for (let at = entry * workers; at < (entry + 1) * workers; at += 1) sum += Atomics.load(underWay, at);
    return sum;
  }

  /** The entry of a key, taken from whoever can best spare it; `undefined` when all its places have requests under way. */
  private entryOf(key: string, now: bigint): number | undefined {
    const { owners, drained, seed } = this.memory;
    const digest = hash("sha256", seed + key, "buffer");
    const owner = digest.readBigUInt64LE(0) | 1n;
    const first = (digest.readUInt32LE(8) % (owners.length / ways)) * ways;
    for (;;) {
      let spare: { readonly at: number; readonly owner: bigint; readonly until: bigint } | undefined;
      for (let at = first; at < first + ways; at += 1) {
        const found = Atomics.load(owners, at);
        if (found === owner) return at;
        if (spare?.owner === 0n) continue;
        const until = Atomics.load(drained, at);
        if (found !== 0n && ((spare !== undefined && until >= spare.until) || this.underWayAt(at) > 0)) continue;
        spare = { at, owner: found, until };
      }
      if (spare === undefined) return undefined;
      // Another worker may want the same place now, also for the same key.
      if (Atomics.compareExchange(owners, spare.at, spare.owner, owner) !== spare.owner) continue;
      // What another worker has counted here for the key since then stays.
      Atomics.compareExchange(drained, spare.at, spare.until, now);
      return spare.at;
    }
  }
}
