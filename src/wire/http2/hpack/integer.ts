import type { ByteWriter } from "../byte-writer.ts";

/** Writes an integer with a prefix of `bits` bits (RFC 7541 section 5.1) into a byte whose other bits are `pattern`. */
export function encodeInteger(out: ByteWriter, pattern: number, bits: number, value: number): void {
  const most = (1 << bits) - 1;
  if (value < most) {
    out.byte(pattern | value);
    return;
  }
  out.byte(pattern | most);
  let rest = value - most;
  while (rest >= 0x80) {
    out.byte((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.byte(rest);
}

/** Reads integers and knows where the last one ended. */
export class IntegerReader {
  /** The position behind the integer. */
  at = 0;

  /** The integer that begins at `at`, or -1 when it does not end before `end` or is larger than any that has a use. */
  read(bytes: Uint8Array, at: number, end: number, bits: number): number {
    const most = (1 << bits) - 1;
    let value = (bytes[at] ?? 0) & most;
    let next = at + 1;
    if (at >= end) return -1;
    if (value === most) {
      for (let shift = 0; ; shift += 7) {
        if (next >= end || shift > 21) return -1;
        const byte = bytes[next] ?? 0;
        next += 1;
        value += (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
    }
    this.at = next;
    return value;
  }
}
