/** Byte classes of RFC 9110 and RFC 9112, one table for all. */
export const isToken = 1;
/** A byte of a field value: visible, space, tab, and what RFC 9110 section 5.5 calls obs-text. */
export const isValue = 2;
/** A byte of a request target; raw bytes above 127 pass, as browsers and curl send them; `#` and `\` do not. */
export const isTarget = 4;
export const isMethod = 8;
export const isHost = 16;

export const byteClass = new Uint8Array(256);
export const CR = 13;
export const LF = 10;
export const SP = 32;
export const TAB = 9;
export const COLON = 58;

function mark(characters: string, bit: number): void {
  for (const character of characters) {
    const code = character.charCodeAt(0);
    byteClass[code] = (byteClass[code] ?? 0) | bit;
  }
}

const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const alphanumeric = `${capitals}${capitals.toLowerCase()}0123456789`;
mark(`${alphanumeric}!#$%&'*+-.^_\`|~`, isToken);
mark(`${capitals}-_`, isMethod);
mark(`${alphanumeric}-._`, isHost);
for (let code = 0; code < 256; code += 1) {
  let bits = byteClass[code] ?? 0;
  if (code === TAB || (code >= 0x20 && code !== 0x7f)) bits |= isValue;
  if (code > 0x20 && code !== 0x7f && code !== 0x23 && code !== 0x5c) bits |= isTarget;
  byteClass[code] = bits;
}

/** Whether `bytes[start..]` is `lower`, letters of either case. `lower` holds lower-case letters, digits and `-` only,
 * and the bytes are known to be token characters. */
export function equalsIgnoreCase(bytes: Uint8Array, start: number, lower: Uint8Array): boolean {
  for (let at = 0; at < lower.length; at += 1) {
    if (((bytes[start + at] ?? 0) | 0x20) !== lower[at]) return false;
  }
  return true;
}

/** The value of a hexadecimal digit, or -1. */
export function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
