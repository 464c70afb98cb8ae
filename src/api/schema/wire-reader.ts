const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the wire format of protobuf from front to back, never past the end. Every way to be wrong ends in `fail`, which
 * the owner gives and which must throw.
 */
export class WireReader {
  #at = 0;
  readonly #source: Uint8Array;
  readonly #fail: (message: string) => never;

  constructor(source: Uint8Array, fail: (message: string) => never) {
    this.#source = source;
    this.#fail = fail;
  }

  get done(): boolean {
    return this.#at >= this.#source.length;
  }

  tag(): { number: number; type: number } {
    const tag = this.#varint();
    const number = tag >> 3n;
    if (number < 1n || number > 536_870_911n) return this.#fail("a field has no valid number");
    return { number: Number(number), type: Number(tag & 7n) };
  }

  varint(type: number): bigint {
    if (type !== 0) return this.#fail(`wire type ${type} where a number belongs`);
    return this.#varint();
  }

  double(type: number): number {
    if (type !== 1) return this.#fail(`wire type ${type} where a double belongs`);
    const bytes = this.#take(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  }

  bytes(type: number): Uint8Array {
    if (type !== 2) return this.#fail(`wire type ${type} where bytes belong`);
    const length = this.#varint();
    if (length > BigInt(this.#source.length)) return this.#fail("a field is longer than the message");
    return this.#take(Number(length));
  }

  text(type: number): string {
    const bytes = this.bytes(type);
    try {
      return decoder.decode(bytes);
    } catch {
      return this.#fail("a text is not UTF-8");
    }
  }

  skip(type: number): void {
    if (type === 0) this.#varint();
    else if (type === 1) this.#take(8);
    else if (type === 2) this.bytes(2);
    else if (type === 5) this.#take(4);
    else this.#fail(`unknown wire type ${type}`);
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#source.length) return this.#fail("the message ends in the middle of a field");
    const bytes = this.#source.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#source[this.#at];
      if (byte === undefined) return this.#fail("the message ends in the middle of a number");
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return this.#fail("a number is longer than ten bytes");
  }
}
