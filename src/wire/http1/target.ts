import { equalsIgnoreCase } from "./bytes.ts";
import { authorityEnd } from "./framing.ts";
import type { HeadTable } from "./head.ts";
import { refusal } from "./problem.ts";

const badTarget = refusal("bad-target");
const badHost = refusal("bad-host");
const hostMismatch = refusal("host-mismatch");
const options = Buffer.from("OPTIONS", "latin1");
const schemes = ["http://", "https://"].map((scheme) => Buffer.from(scheme, "latin1"));
const slash = 0x2f;

/**
 * Finds the path in the request target (RFC 9112 section 3.2): origin-form, absolute-form, or `*` of OPTIONS. An
 * absolute target that names another host than the Host field is refused, because the next reader may take the other.
 * Returns 0 or a refusal.
 */
export function locatePath(bytes: Buffer, head: HeadTable): number {
  const { targetStart, targetEnd } = head;
  head.pathStart = targetStart;
  head.authorityStart = -1;
  head.authorityEnd = -1;
  if (bytes[targetStart] === slash) return 0;
  if (bytes[targetStart] === 0x2a && targetEnd - targetStart === 1) return isOptions(bytes, head) ? 0 : badTarget;
  for (const scheme of schemes) {
    if (targetEnd - targetStart <= scheme.length) continue;
    if (!startsWith(bytes, targetStart, scheme)) continue;
    return locateAuthority(bytes, head, targetStart + scheme.length);
  }
  return badTarget;
}

function isOptions(bytes: Buffer, { methodStart, methodEnd }: HeadTable): boolean {
  return bytes.subarray(methodStart, methodEnd).equals(options);
}

function startsWith(bytes: Uint8Array, start: number, scheme: Uint8Array): boolean {
  // `:` and `/` have bit 0x20 set, so the comparison holds for them too.
  return equalsIgnoreCase(bytes, start, scheme);
}

function locateAuthority(bytes: Buffer, head: HeadTable, start: number): number {
  let end = start;
  while (end < head.targetEnd && bytes[end] !== slash && bytes[end] !== 0x3f) end += 1;
  if (authorityEnd(bytes, start, end) < 0) return badHost;
  // `http://host?query` has no path to start from; nobody sends it.
  if (bytes[end] === 0x3f) return badTarget;
  head.authorityStart = start;
  head.authorityEnd = end;
  head.pathStart = end;
  if (head.hosts === 0) return 0;
  const named = bytes.toString("latin1", head.valueStart(head.hostField), head.valueEnd(head.hostField));
  return named.toLowerCase() === bytes.toString("latin1", start, end).toLowerCase() ? 0 : hostMismatch;
}
