import { byteClass, equalsIgnoreCase, isHost } from "./bytes.ts";
import type { HeadTable } from "./head.ts";
import { refusal } from "./problem.ts";

/** What follows a head: a number of bytes (0 or more), chunks, or everything until the connection ends. */
export const chunkedBody = Number.MAX_SAFE_INTEGER;
export const untilClose = chunkedBody - 1;

const badContentLength = refusal("bad-content-length");
const severalContentLengths = refusal("several-content-lengths");
const lengthAndChunked = refusal("length-and-chunked");
const codingUnknown = refusal("coding-unknown");
const severalCodings = refusal("several-codings");
const codingIn10 = refusal("coding-in-1.0");
const noHost = refusal("no-host");
const severalHosts = refusal("several-hosts");
const badHost = refusal("bad-host");
const chunked = Buffer.from("chunked", "latin1");

/**
 * The length of a request's body (RFC 9112 section 6.3): bytes, `chunkedBody`, or a refusal. Whatever two readers could
 * understand differently is refused.
 */
export function requestFraming(bytes: Uint8Array, head: HeadTable): number {
  if (head.codings > 0) return coding(bytes, head) ?? chunkedBody;
  return head.contentLengths === 0 ? 0 : contentLength(bytes, head);
}

/** The same for a response to `method` HEAD or another; `untilClose` where nothing says how long it is. */
export function responseFraming(bytes: Uint8Array, head: HeadTable, toHead: boolean): number {
  const { status } = head;
  const bodiless = toHead || status === 204 || status === 304 || status < 200;
  if (head.codings > 0) {
    const refused = coding(bytes, head);
    if (refused !== undefined) return refused;
    return bodiless ? 0 : chunkedBody;
  }
  if (head.contentLengths > 0) {
    const length = contentLength(bytes, head);
    return length < 0 || !bodiless ? length : 0;
  }
  return bodiless ? 0 : untilClose;
}

function coding(bytes: Uint8Array, head: HeadTable): number | undefined {
  if (head.contentLengths > 0) return lengthAndChunked;
  if (head.codings > 1) return severalCodings;
  if (head.minor === 0) return codingIn10;
  const start = head.valueStart(head.codingField);
  const length = head.valueEnd(head.codingField) - start;
  // RFC 9112 section 6.3 allows `gzip, chunked`; nobody in between can tell what it means for the next hop.
  return length === chunked.length && equalsIgnoreCase(bytes, start, chunked) ? undefined : codingUnknown;
}

function contentLength(bytes: Uint8Array, head: HeadTable): number {
  if (head.contentLengths > 1) return severalContentLengths;
  const start = head.valueStart(head.contentLengthField);
  const end = head.valueEnd(head.contentLengthField);
  if (start === end || end - start > 15) return badContentLength;
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return badContentLength;
    length = length * 10 + digit;
  }
  return length;
}

/** 0 when the request names its host as RFC 9112 section 3.2 demands, else a refusal. */
export function checkHost(bytes: Uint8Array, head: HeadTable): number {
  if (head.hosts === 0) return head.minor === 0 ? 0 : noHost;
  if (head.hosts > 1) return severalHosts;
  return authorityEnd(bytes, head.valueStart(head.hostField), head.valueEnd(head.hostField)) < 0 ? badHost : 0;
}

/** Where the host ends and the port begins in `host`, `host:port` or `[v6]:port`; a negative number when it is none. */
export function authorityEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (bytes[at] === 0x5b) {
    at += 1;
    while (at < end && (bytes[at] === 0x3a || ((byteClass[bytes[at] ?? 0] ?? 0) & isHost) !== 0)) at += 1;
    if (at >= end || bytes[at] !== 0x5d) return badHost;
    at += 1;
  } else while (at < end && ((byteClass[bytes[at] ?? 0] ?? 0) & isHost) !== 0) at += 1;
  if (at === start || at - start > 255) return badHost;
  if (at === end) return at;
  if (bytes[at] !== 0x3a) return badHost;
  for (let digit = at + 1; digit < end; digit += 1) {
    const value = (bytes[digit] ?? 0) - 0x30;
    if (value < 0 || value > 9) return badHost;
  }
  return end - at > 6 ? badHost : at;
}
