import type { ByteWriter } from "../byte-writer.ts";

/**
 * The length in bits of the code of each byte, and last of the end of the string (RFC 7541 appendix B). The code is a
 * canonical one: codes of one length count up in the order of their symbols, shorter ones come first; so the lengths say
 * everything.
 */
const lengths: readonly number[] = [
  [13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  [28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  [6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  [5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  [13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  [7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  [15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  [6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  [20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  [24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  [22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  [21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  [26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  [19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  [20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  [26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  [30],
].flat();

const endOfString = 256;
const codes: readonly number[] = canonicalCodes();

function canonicalCodes(): number[] {
  const out: number[] = new Array<number>(lengths.length).fill(0);
  let code = 0;
  for (let length = 1; length <= 30; length += 1) {
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue;
      out[symbol] = code;
      code += 1;
    }
    code *= 2;
  }
  return out;
}

/*
 * The decoder walks the code's tree four bits at a time. A state is an inner node; an entry holds the next state, and
 * above it what the step found: a flag and the byte. Byte and flag share one number, so that a step is one look-up.
 */
const stateBits = 9;
const stateMask = (1 << stateBits) - 1;
const emits = 1 << stateBits;
const symbolShift = stateBits + 1;
const failed = stateMask;

interface Tree {
  readonly steps: Int32Array;
  /** States in which a string may end: at a symbol's end, or after up to seven bits of 1 (section 5.2). */
  readonly mayEnd: Uint8Array;
}

const { steps, mayEnd } = buildTree();

function buildTree(): Tree {
  // children[node * 2 + bit]: an inner node, or the negative of a symbol, minus 1.
  const children: number[] = [0, 0];
  let nodes = 1;
  for (const [symbol, length] of lengths.entries()) {
    let node = 0;
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const slot = node * 2 + (((codes[symbol] ?? 0) >>> bit) & 1);
      if ((children[slot] ?? 0) === 0) {
        children[slot] = nodes;
        children.push(0, 0);
        nodes += 1;
      }
      node = children[slot] ?? 0;
    }
    children[node * 2 + ((codes[symbol] ?? 0) & 1)] = -1 - symbol;
  }
  const ends = new Uint8Array(nodes);
  let node = 0;
  for (let depth = 0; depth < 8; depth += 1) {
    ends[node] = 1;
    node = children[node * 2 + 1] ?? 0;
  }
  const table = new Int32Array(nodes * 16);
  for (let from = 0; from < nodes; from += 1) {
    for (let nibble = 0; nibble < 16; nibble += 1) table[from * 16 + nibble] = walk(children, from, nibble);
  }
  return { steps: table, mayEnd: ends };
}

function walk(children: readonly number[], from: number, nibble: number): number {
  let node = from;
  let found = 0;
  for (let bit = 3; bit >= 0; bit -= 1) {
    const child = children[node * 2 + ((nibble >>> bit) & 1)] ?? 0;
    if (child >= 0) {
      node = child;
      continue;
    }
    const symbol = -1 - child;
    if (symbol === endOfString) return failed;
    found = emits | (symbol << symbolShift);
    node = 0;
  }
  return found | node;
}

/** How many bytes the code of `bytes[start..end]` takes. */
export function huffmanLength(bytes: Uint8Array, start: number, end: number): number {
  let bits = 0;
  for (let at = start; at < end; at += 1) bits += lengths[bytes[at] ?? 0] ?? 0;
  return (bits + 7) >>> 3;
}

/** Writes the code of `bytes[start..end]`, its last byte filled up with 1. */
export function encodeHuffman(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  out.reserve((end - start) * 4);
  const target = out.bytes;
  let { length } = out;
  let pending = 0;
  let count = 0;
  for (let at = start; at < end; at += 1) {
    const symbol = bytes[at] ?? 0;
    let left = lengths[symbol] ?? 0;
    const code = codes[symbol] ?? 0;
    while (left > 0) {
      const taken = Math.min(left, 8 - count);
      left -= taken;
      pending = (pending << taken) | ((code >>> left) & ((1 << taken) - 1));
      count += taken;
      if (count < 8) continue;
      target[length] = pending;
      length += 1;
      pending = 0;
      count = 0;
    }
  }
  if (count > 0) {
    target[length] = (pending << (8 - count)) | ((1 << (8 - count)) - 1);
    length += 1;
  }
  out.length = length;
}

/** Appends the string behind `bytes[start..end]`; false when it is no code of one (section 5.2). */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: ByteWriter): boolean {
  // The shortest code has five bits.
  out.reserve(Math.ceil(((end - start) * 8) / 5));
  const target = out.bytes;
  let { length } = out;
  let state = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    let step = steps[state * 16 + (byte >>> 4)] ?? failed;
    if ((step & stateMask) === failed) return false;
    if ((step & emits) !== 0) {
      target[length] = step >>> symbolShift;
      length += 1;
    }
    step = steps[(step & stateMask) * 16 + (byte & 15)] ?? failed;
    state = step & stateMask;
    if (state === failed) return false;
    if ((step & emits) !== 0) {
      target[length] = step >>> symbolShift;
      length += 1;
    }
  }
  out.length = length;
  return mayEnd[state] === 1;
}
