import type { Clock } from "#base/clock.ts";

/** Something that ends when its time is up. `deadline` is in `Deadlines.now` time; 0 for none. */
export interface Timed {
  deadline: number;
  onDeadline(): void;
}

/**
 * One timer for all connections of a worker: setting a deadline is one store, and a sweep every tick finds those that
 * passed. Deadlines are late by at most two ticks, and never early.
 */
export class Deadlines {
  /** A coarse monotonic clock, in milliseconds. */
  now: number;
  private readonly clock: Clock;
  private readonly tickMs: number;
  private readonly onFault: (error: unknown) => void;
  private readonly items = new Set<Timed>();
  private cancel: (() => void) | undefined;

  constructor(clock: Clock, tickMs: number, onFault: (error: unknown) => void) {
    this.clock = clock;
    this.onFault = onFault;
    this.tickMs = tickMs;
    this.now = clock.monotonic();
  }

  add(item: Timed): void {
    this.items.add(item);
    if (this.cancel === undefined) {
      this.now = this.clock.monotonic();
      this.schedule();
    }
  }

  delete(item: Timed): void {
    this.items.delete(item);
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.items.clear();
  }

  private schedule(): void {
    this.cancel = this.clock.after(this.tickMs, () => {
      this.cancel = undefined;
      this.sweep();
      if (this.items.size > 0) this.schedule();
    });
  }

  private sweep(): void {
    this.now = this.clock.monotonic();
    // The clock that a deadline was set by was up to one tick slow.
    const passed = this.now - this.tickMs;
    for (const item of this.items) {
      if (item.deadline === 0 || item.deadline > passed) continue;
      item.deadline = 0;
      try {
        item.onDeadline();
      } catch (error) {
        this.onFault(error);
      }
    }
  }
}
