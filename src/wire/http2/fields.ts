import { byteClass, isToken, isValue, SP, TAB } from "../http1/bytes.ts";
import { fieldKind, kind } from "../http1/field-kind.ts";

/** What `inspectField` says of a field. */
export const mark = {
  plain: 0,
  method: 1,
  scheme: 2,
  path: 3,
  authority: 4,
  protocol: 5,
  status: 6,
  host: 7,
  contentLength: 8,
  cookie: 9,
  contentType: 10,
  /** Breaks a rule: whoever gets a message with such a field must not pass it on. */
  malformed: -1,
} as const;

const pseudo: ReadonlyMap<string, number> = new Map([
  [":method", mark.method],
  [":scheme", mark.scheme],
  [":path", mark.path],
  [":authority", mark.authority],
  [":protocol", mark.protocol],
  [":status", mark.status],
]);

const COLON = 58;
const cookie = Buffer.from("cookie", "latin1");
const contentType = Buffer.from("content-type", "latin1");
const trailers = Buffer.from("trailers", "latin1");

/**
 * Holds one field against RFC 9113 sections 8.2 and 8.3. A name is a token of lower case, so that no `:` in it can begin
 * a value of its own in HTTP/1.1; a value has no CR, LF or NUL and no white space around it; what HTTP/1.1 says of a
 * connection has no place. Only marks: what belongs into requests, responses or trailers is the caller's to know.
 */
export function inspectField(bytes: Uint8Array, start: number, split: number, end: number): number {
  const valueStart = split + 2;
  if (end > valueStart) {
    const first = bytes[valueStart];
    const last = bytes[end - 1];
    if (first === SP || first === TAB || last === SP || last === TAB) return mark.malformed;
  }
  for (let at = valueStart; at < end; at += 1) {
    if (((byteClass[bytes[at] ?? 0] ?? 0) & isValue) === 0) return mark.malformed;
  }
  if (bytes[start] === COLON) {
    return pseudo.get(Buffer.from(bytes.subarray(start, split)).toString("latin1")) ?? mark.malformed;
  }
  if (split === start) return mark.malformed;
  for (let at = start; at < split; at += 1) {
    const byte = bytes[at] ?? 0;
    if (((byteClass[byte] ?? 0) & isToken) === 0 || (byte >= 0x41 && byte <= 0x5a)) return mark.malformed;
  }
  switch (fieldKind(bytes, start, split)) {
    case kind.connection:
    case kind.keepAlive:
    case kind.proxyConnection:
    case kind.transferEncoding:
    case kind.upgrade:
      return mark.malformed;
    case kind.te:
      return equals(bytes, valueStart, end, trailers) ? mark.plain : mark.malformed;
    case kind.host:
      return mark.host;
    case kind.contentLength:
      return mark.contentLength;
    default:
      if (equals(bytes, start, split, cookie)) return mark.cookie;
      return equals(bytes, start, split, contentType) ? mark.contentType : mark.plain;
  }
}

function equals(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (end - start !== wanted.length) return false;
  for (let at = 0; at < wanted.length; at += 1) if (bytes[start + at] !== wanted[at]) return false;
  return true;
}
