import { hash } from "node:crypto";

/**
 * Work that is done in steps, so that whoever runs it can let others have a turn between two of them. Its result is the
 * text that a stored hash must equal.
 */
export type Steps = Generator<undefined, string>;

/** How many rounds make one step: a fraction of a millisecond. */
const roundsAStep = 100;

const digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Groups of three bytes as four characters, the lowest six bits first; positions beyond the bytes count as zero. */
function encode(bytes: Buffer, groups: readonly (readonly number[])[], lastLength: number): string {
  let out = "";
  for (const [index, group] of groups.entries()) {
    const [high = -1, middle = -1, low = -1] = group;
    let value = ((bytes[high] ?? 0) << 16) | ((bytes[middle] ?? 0) << 8) | (bytes[low] ?? 0);
    for (let count = index === groups.length - 1 ? lastLength : 4; count > 0; count -= 1) {
      out += digits[value & 63] ?? "";
      value >>= 6;
    }
  }
  return out;
}

function digest(algorithm: string, parts: readonly Buffer[]): Buffer {
  return hash(algorithm, Buffer.concat(parts), "buffer");
}

/** The bytes again and again, up to a length. */
function repeated(bytes: Buffer, length: number): Buffer {
  const out = Buffer.alloc(length);
  for (let at = 0; at < length; at += bytes.length) bytes.copy(out, at);
  return out;
}

const md5Groups = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
  [-1, -1, 11],
];

/** MD5-crypt with its 1000 rounds: `magic` is `$apr1$` (Apache's htpasswd) or `$1$` (crypt(3)). */
export function* md5Crypt(password: Buffer, salt: string, magic: string): Steps {
  const saltBytes = Buffer.from(salt, "latin1");
  const inner = digest("md5", [password, saltBytes, password]);
  const first = [password, Buffer.from(magic, "latin1"), saltBytes, repeated(inner, password.length)];
  for (let left = password.length; left > 0; left >>= 1) {
    first.push((left & 1) === 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  }
  let state = digest("md5", first);
  for (let round = 0; round < 1000; round += 1) {
    state = digest("md5", roundParts(round, state, password, saltBytes));
    if (round % roundsAStep === 0) yield;
  }
  return `${magic}${salt}$${encode(state, md5Groups, 2)}`;
}

/** One round, the same in all three schemes. */
function roundParts(round: number, state: Buffer, password: Buffer, salt: Buffer): Buffer[] {
  const isOdd = (round & 1) === 1;
  const parts = [isOdd ? password : state];
  if (round % 3 !== 0) parts.push(salt);
  if (round % 7 !== 0) parts.push(password);
  parts.push(isOdd ? state : password);
  return parts;
}

/** The last step goes to the positions one down or up in turn, as the schemes' authors listed them. */
const sha256Groups = [
  ...Array.from({ length: 10 }, (_, index) => turned([index, index + 10, index + 20], index % 3, [0, 2, 1])),
  [-1, 31, 30],
];
const sha512Groups = [
  ...Array.from({ length: 21 }, (_, index) => turned([index, index + 21, index + 42], index % 3, [0, 1, 2])),
  [-1, -1, 63],
];

/** The positions turned to the left, as often as `turns` has it for this place. */
function turned(positions: readonly number[], place: number, turns: readonly number[]): number[] {
  const by = turns[place] ?? 0;
  return [...positions.slice(by), ...positions.slice(0, by)];
}

const defaultRounds = 5000;

/** SHA-crypt (`$5$` SHA-256, `$6$` SHA-512) as its specification by Ulrich Drepper has it. */
export function* shaCrypt(password: Buffer, salt: string, variant: "5" | "6", rounds?: number): Steps {
  const algorithm = variant === "5" ? "sha256" : "sha512";
  const saltBytes = Buffer.from(salt, "latin1");
  const inner = digest(algorithm, [password, saltBytes, password]);
  const first = [password, saltBytes, repeated(inner, password.length)];
  for (let left = password.length; left > 0; left >>= 1) first.push((left & 1) === 1 ? inner : password);
  let state = digest(algorithm, first);
  const ofPassword = repeated(digest(algorithm, [repeated(password, password.length ** 2)]), password.length);
  const times = 16 + (state[0] ?? 0);
  const ofSalt = repeated(digest(algorithm, [repeated(saltBytes, saltBytes.length * times)]), saltBytes.length);
  for (let round = 0; round < (rounds ?? defaultRounds); round += 1) {
    state = digest(algorithm, roundParts(round, state, ofPassword, ofSalt));
    if (round % roundsAStep === 0) yield;
  }
  const said = rounds === undefined ? "" : `rounds=${rounds}$`;
  const text = variant === "5" ? encode(state, sha256Groups, 3) : encode(state, sha512Groups, 2);
  return `$${variant}$${said}${salt}$${text}`;
}
