const initialBytes = 128 * 1024;

/**
 * Puts a head together in memory that is used again for the next one. After its bytes were lent to a connection, `renew`
 * leaves them alone and goes on elsewhere.
 */
export class HeadWriter {
  length = 0;
  private buffer = Buffer.allocUnsafeSlow(initialBytes);
  private lastView: Buffer | undefined;

  reset(): void {
    this.length = 0;
  }

  renew(): void {
    this.buffer = Buffer.allocUnsafeSlow(initialBytes);
    this.lastView = undefined;
    this.length = 0;
  }

  copy(source: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    source.copy(this.buffer, this.length, start, end);
    this.length += end - start;
  }

  bytes(source: Buffer): void {
    this.copy(source, 0, source.length);
  }

  /** One character a byte. */
  text(text: string): void {
    this.reserve(text.length);
    this.length += this.buffer.write(text, this.length, "latin1");
  }

  /** What was written. The same object while heads of the same length follow each other: many clients ask alike. */
  view(): Buffer {
    if (this.lastView?.length !== this.length) this.lastView = this.buffer.subarray(0, this.length);
    return this.lastView;
  }

  /** Copies what was written so that it ends just before `end` of `target`. */
  copyBefore(target: Buffer, end: number): void {
    this.buffer.copy(target, end - this.length, 0, this.length);
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
    this.lastView = undefined;
  }
}
