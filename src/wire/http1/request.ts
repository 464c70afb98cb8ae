import { byteClass, CR, isMethod, isTarget, LF, SP } from "./bytes.ts";
import { maxHeadBytes, parseFields, type HeadTable } from "./head.ts";
import { refusal } from "./problem.ts";

/** A request line beyond this is answered 414, as nginx does with its default buffers. */
export const maxRequestLine = 16 * 1024;
const maxMethod = 32;

const badMethod = refusal("bad-method");
const badTarget = refusal("bad-target");
const badVersion = refusal("bad-version");
const versionUnsupported = refusal("version-unsupported");
const lineTooLong = refusal("line-too-long");
const headTooLarge = refusal("head-too-large");
const bareLf = refusal("bare-lf");
const bareCr = refusal("bare-cr");

/**
 * Reads a request head (RFC 9112 sections 2 and 3) into the table. Returns the position after it, 0 when the bytes end
 * before it, or a refusal; a refusal comes with the first byte that cannot be part of a good head. One empty line in
 * front is passed over (section 2.2).
 */
export function parseRequestHead(bytes: Uint8Array, start: number, end: number, head: HeadTable): number {
  head.reset();
  const stop = Math.min(end, start + maxHeadBytes);
  let at = start;
  if (bytes[at] === CR && at < stop) {
    if (at + 1 >= stop) return 0;
    if (bytes[at + 1] !== LF) return bareCr;
    at += 2;
  }
  const result = parseLine(bytes, at, stop, head);
  if (result === 0) return stop - start >= maxRequestLine ? lineTooLong : 0;
  if (result < 0) return result;
  const position = parseFields(bytes, result, stop, head);
  return position === 0 && stop - start === maxHeadBytes ? headTooLarge : position;
}

function parseLine(bytes: Uint8Array, start: number, end: number, head: HeadTable): number {
  let at = start;
  head.methodStart = at;
  while (at < end && ((byteClass[bytes[at] ?? 0] ?? 0) & isMethod) !== 0) at += 1;
  if (at - start > maxMethod) return badMethod;
  if (at >= end) return 0;
  if (bytes[at] === LF) return bareLf;
  if (bytes[at] !== SP || at === start) return badMethod;
  head.methodEnd = at;
  at += 1;
  head.targetStart = at;
  while (at < end && ((byteClass[bytes[at] ?? 0] ?? 0) & isTarget) !== 0) at += 1;
  if (at - start > maxRequestLine) return lineTooLong;
  if (at >= end) return 0;
  if (bytes[at] === LF) return bareLf;
  if (bytes[at] !== SP || at === head.targetStart) return badTarget;
  head.targetEnd = at;
  return parseVersion(bytes, at + 1, end, head);
}

const prefix = Buffer.from("HTTP/", "latin1");

function parseVersion(bytes: Uint8Array, start: number, end: number, head: HeadTable): number {
  for (let at = 0; at < prefix.length; at += 1) {
    if (start + at >= end) return 0;
    if (bytes[start + at] !== prefix[at]) return badVersion;
  }
  const at = start + prefix.length;
  if (at + 3 > end) return 0;
  const major = (bytes[at] ?? 0) - 0x30;
  const minor = (bytes[at + 2] ?? 0) - 0x30;
  if (major < 0 || major > 9 || bytes[at + 1] !== 0x2e || minor < 0 || minor > 9) return badVersion;
  if (at + 5 > end) {
    if (at + 4 === end && bytes[at + 3] !== CR) return bytes[at + 3] === LF ? bareLf : badVersion;
    return 0;
  }
  if (bytes[at + 3] !== CR) return bytes[at + 3] === LF ? bareLf : badVersion;
  if (bytes[at + 4] !== LF) return bareCr;
  if (major !== 1) return versionUnsupported;
  // A higher minor version is answered as the highest one known (RFC 9110 section 2.5).
  head.minor = minor === 0 ? 0 : 1;
  head.fieldsStart = at + 5;
  return at + 5;
}
