import { randomBytes } from "node:crypto";

const idsAtOnce = 256;
let ids = "";
let next = 0;

/** 32 hexadecimal digits from the system's random source, drawn for many requests at once. */
export function newRequestId(): string {
  if (next >= ids.length) {
    ids = randomBytes(idsAtOnce * 16).toString("hex");
    next = 0;
  }
  next += 32;
  return ids.slice(next - 32, next);
}
