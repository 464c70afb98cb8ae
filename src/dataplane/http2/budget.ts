/** A frame with this much data carries work; one with less is a frame too many sooner or later. */
export const substantialBytes = 256;

/** How much of something a peer may do: `burst` at once, `perSecond` for good. Frames that carry work pay some of it back. */
export class Budget {
  private left: number;
  private at: number;
  private readonly burst: number;
  private readonly perSecond: number;

  /** `now` as in `spend`. */
  constructor(burst: number, perSecond: number, now: number) {
    this.left = burst;
    this.at = now;
    this.burst = burst;
    this.perSecond = perSecond;
  }

  /** False when nothing is left. `now` in milliseconds, never going back. */
  spend(now: number, cost: number): boolean {
    if (now > this.at) {
      this.refund(((now - this.at) * this.perSecond) / 1000);
      this.at = now;
    }
    this.left -= cost;
    return this.left >= 0;
  }

  refund(amount: number): void {
    this.left = Math.min(this.burst, this.left + amount);
  }
}
