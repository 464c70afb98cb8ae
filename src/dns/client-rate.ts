import { randomBytes } from "node:crypto";

/** How many questions of one address are answered each second, over all workers. */
export interface ClientRate {
  /** False when the address has had its share of this second. */
  spend(address: string): boolean;
}

/** Addresses fall into so many slots by chance; two seldom share one. The memory never grows. */
const slots = 16_384;
const countBits = 20;
const countMask = (1 << countBits) - 1;
const secondMask = 0xfff;

/** Memory that all workers count in. */
export function clientRateMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer((slots + 1) * 4);
  // Nobody outside can choose addresses that fall together.
  new Uint32Array(memory)[slots] = randomBytes(4).readUInt32LE();
  return memory;
}

export function createClientRate(memory: SharedArrayBuffer, limit: () => number, now: () => number): ClientRate {
  const counts = new Uint32Array(memory);
  const seed = counts[slots] as number;
  return {
    spend(address) {
      const most = Math.min(limit(), countMask);
      if (most <= 0) return true;
      const second = Math.floor(now() / 1000) & secondMask;
      const slot = hash(address, seed) % slots;
      for (;;) {
        const before = Atomics.load(counts, slot);
        const spent = before >>> countBits === second ? before & countMask : 0;
        if (spent >= most) return false;
        const after = ((second << countBits) | (spent + 1)) >>> 0;
        if (Atomics.compareExchange(counts, slot, before, after) === before) return true;
      }
    },
  };
}

/** FNV-1a over the text, begun at a number of chance. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return (value ^ (value >>> 15)) >>> 0;
}
