import { byteClass, CR, isValue, LF, SP } from "./bytes.ts";
import { parseFields, type HeadTable } from "./head.ts";
import { refusal } from "./problem.ts";

/** Endpoints are trusted with larger heads than clients. */
export const maxResponseHeadBytes = 64 * 1024;

const badStatusLine = refusal("bad-status-line");
const headTooLarge = refusal("head-too-large");
const bareLf = refusal("bare-lf");
const bareCr = refusal("bare-cr");
const prefix = Buffer.from("HTTP/1.", "latin1");

/**
 * Reads a response head (RFC 9112 section 4) into the table. Returns the position after it, 0 when the bytes end before
 * it, or a refusal. A missing reason phrase is let pass, with or without the space in front of it.
 */
export function parseResponseHead(bytes: Uint8Array, start: number, end: number, head: HeadTable): number {
  head.reset();
  const stop = Math.min(end, start + maxResponseHeadBytes);
  const line = parseStatusLine(bytes, start, stop, head);
  const position = line > 0 ? parseFields(bytes, line, stop, head) : line;
  return position === 0 && stop - start === maxResponseHeadBytes ? headTooLarge : position;
}

function parseStatusLine(bytes: Uint8Array, start: number, end: number, head: HeadTable): number {
  for (let at = 0; at < prefix.length; at += 1) {
    if (start + at >= end) return 0;
    if (bytes[start + at] !== prefix[at]) return badStatusLine;
  }
  let at = start + prefix.length;
  if (at + 5 >= end) return 0;
  const minor = (bytes[at] ?? 0) - 0x30;
  if (minor < 0 || minor > 9 || bytes[at + 1] !== SP) return badStatusLine;
  head.minor = minor === 0 ? 0 : 1;
  let status = 0;
  for (let digit = at + 2; digit < at + 5; digit += 1) {
    const value = (bytes[digit] ?? 0) - 0x30;
    if (value < 0 || value > 9) return badStatusLine;
    status = status * 10 + value;
  }
  if (status < 100 || status > 599) return badStatusLine;
  head.status = status;
  at += 5;
  if (bytes[at] === SP) at += 1;
  else if (bytes[at] === LF) return bareLf;
  else if (bytes[at] !== CR) return badStatusLine;
  head.reasonStart = at;
  while (at < end && ((byteClass[bytes[at] ?? 0] ?? 0) & isValue) !== 0) at += 1;
  if (at >= end) return 0;
  if (bytes[at] !== CR) return bytes[at] === LF ? bareLf : badStatusLine;
  if (at + 1 >= end) return 0;
  if (bytes[at + 1] !== LF) return bareCr;
  head.reasonEnd = at;
  head.fieldsStart = at + 2;
  return at + 2;
}
