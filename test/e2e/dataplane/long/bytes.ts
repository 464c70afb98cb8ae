import { createCipheriv, createHash } from "node:crypto";

/** The same bytes for the same seed, and no two places alike: what is lost, doubled or swapped shows in a hash. */
export function bytesOf(seed: string, count: number): Buffer {
  const key = createHash("md5").update(seed).digest();
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(count));
}

export function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
