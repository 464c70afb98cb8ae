import type { Steps } from "./crypt.ts";

/**
 * bcrypt (Provos and Mazieres, USENIX 1999) over Blowfish (Schneier, FSE 1993). Node has neither, and a dependency for one
 * format of passwords would be one more to trust. Blowfish's tables are the digits of pi, which are computed when they
 * are first needed: some 20 ms.
 */
interface Tables {
  readonly p: Int32Array;
  /** Four tables of 256 words, one behind the other. */
  readonly s: Int32Array;
}

const words = 18 + 4 * 256;
let initial: Tables | undefined;

/** The first words of pi's fraction: pi = 16 atan(1/5) - 4 atan(1/239), with guard bits (Machin). */
function digitsOfPi(): Tables {
  const guard = 64n;
  const bits = BigInt(words * 32) + guard;
  const arctangent = (inverse: bigint): bigint => {
    const square = inverse * inverse;
    let power = (1n << bits) / inverse;
    let sum = power;
    for (let divisor = 3n, sign = -1n; power > 0n; divisor += 2n, sign = -sign) {
      power /= square;
      sum += sign * (power / divisor);
    }
    return sum;
  };
  const pi = 16n * arctangent(5n) - 4n * arctangent(239n);
  const fraction = (pi & ((1n << bits) - 1n)) >> guard;
  const bytes = Buffer.from(fraction.toString(16).padStart(words * 8, "0"), "hex");
  const all = Int32Array.from({ length: words }, (_, index) => bytes.readInt32BE(index * 4));
  return { p: all.slice(0, 18), s: all.slice(18) };
}

class Blowfish {
  private readonly p: Int32Array;
  private readonly s: Int32Array;
  left = 0;
  right = 0;

  constructor({ p, s }: Tables) {
    this.p = p.slice();
    this.s = s.slice();
  }

  encrypt(): void {
    const { p, s } = this;
    let l = this.left ^ (p[0] ?? 0);
    let r = this.right;
    for (let round = 1; round <= 16; round += 2) {
      r ^= mix(s, l) ^ (p[round] ?? 0);
      l ^= mix(s, r) ^ (p[round + 1] ?? 0);
    }
    this.left = r ^ (p[17] ?? 0);
    this.right = l;
  }

  /** Mixes a key in, and with `salt` that too, into all tables. */
  expand(key: Int32Array, salt: Int32Array): void {
    const { p, s } = this;
    for (let at = 0; at < 18; at += 1) p[at] = (p[at] ?? 0) ^ (key[at % key.length] ?? 0);
    this.left = 0;
    this.right = 0;
    let turn = 0;
    for (const table of [p, s]) {
      for (let at = 0; at < table.length; at += 2) {
        this.left ^= salt[turn] ?? 0;
        this.right ^= salt[turn + 1] ?? 0;
        turn = turn === 0 ? 2 : 0;
        this.encrypt();
        table[at] = this.left;
        table[at + 1] = this.right;
      }
    }
  }
}

function mix(s: Int32Array, word: number): number {
  const [a, b] = [s[word >>> 24] ?? 0, s[256 + ((word >>> 16) & 255)] ?? 0];
  return ((((a + b) | 0) ^ (s[512 + ((word >>> 8) & 255)] ?? 0)) + (s[768 + (word & 255)] ?? 0)) | 0;
}

const digits = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function decode(text: string): Buffer {
  return Buffer.from(
    text.replace(/./g, (digit) => standard[digits.indexOf(digit)] ?? ""),
    "base64",
  );
}

function encode(bytes: Buffer): string {
  return bytes
    .toString("base64")
    .replace(/=+$/, "")
    .replace(/./g, (digit) => digits[standard.indexOf(digit)] ?? "");
}

function wordsOf(bytes: Buffer, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, word) => {
    const at = (place: number) => bytes[(word * 4 + place) % bytes.length] ?? 0;
    return (at(0) << 24) | (at(1) << 16) | (at(2) << 8) | at(3);
  });
}

/** `prefix` is `$2a$`, `$2b$` or `$2y$`, which mean the same here; `salt` the 22 characters behind the cost. */
export function* bcrypt(password: Buffer, prefix: string, cost: number, salt: string): Steps {
  initial ??= digitsOfPi();
  const saltBytes = decode(salt);
  const cipher = new Blowfish(initial);
  const key = wordsOf(Buffer.concat([password, Buffer.alloc(1)]).subarray(0, 72), 18);
  const [saltWords, saltKey, none] = [wordsOf(saltBytes, 4), wordsOf(saltBytes, 18), new Int32Array(4)];
  cipher.expand(key, saltWords);
  for (let round = 0; round < 2 ** cost; round += 1) {
    cipher.expand(key, none);
    cipher.expand(saltKey, none);
    yield;
  }
  const text = Buffer.from("OrpheanBeholderScryDoubt", "latin1");
  for (let at = 0; at < text.length; at += 8) {
    cipher.left = text.readInt32BE(at);
    cipher.right = text.readInt32BE(at + 4);
    for (let time = 0; time < 64; time += 1) cipher.encrypt();
    text.writeInt32BE(cipher.left, at);
    text.writeInt32BE(cipher.right, at + 4);
  }
  return `${prefix}${String(cost).padStart(2, "0")}$${salt}${encode(text.subarray(0, 23))}`;
}
