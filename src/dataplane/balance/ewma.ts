/** How fast old answers are forgotten, as ingress-nginx's `ewma` has it. */
const decayMs = 10_000;

/** A mean of times in which newer ones weigh more (exponentially weighted); it sinks while nothing comes. */
export class MovingMean {
  private mean: number;
  private touched: number;

  constructor(start: number, now: number) {
    this.mean = start;
    this.touched = now;
  }

  at(now: number): number {
    return this.mean * this.weight(now);
  }

  add(ms: number, now: number): void {
    const weight = this.weight(now);
    this.mean = this.mean * weight + ms * (1 - weight);
    this.touched = now;
  }

  private weight(now: number): number {
    return Math.exp(-Math.max(0, now - this.touched) / decayMs);
  }
}
