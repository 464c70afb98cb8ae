import { randomBytes } from "node:crypto";
import { ByteWriter } from "#wire/http2/byte-writer.ts";
import { mark } from "#wire/http2/fields.ts";
import type { FieldLines } from "#wire/http2/hpack/lines.ts";

const version = Buffer.from(" HTTP/1.1\r\nhost: ", "latin1");
const crlf = Buffer.from("\r\n", "latin1");
const chunked = Buffer.from("transfer-encoding: chunked\r\n", "latin1");

const slash = 0x2f;
const space = 0x20;
/** Where a head is put together. */
const scratch = new ByteWriter(4096);

/** A request's head in the words of HTTP/1.1. */
export interface RequestHead {
  readonly bytes: Buffer;
  /** The protocol that an extended CONNECT asks for (RFC 8441). */
  readonly protocol: string | undefined;
}

/** Where the fields of a request that are not simply copied lie; -1 where there is none. */
interface Places {
  method: number;
  scheme: number;
  path: number;
  authority: number;
  protocol: number;
  host: number;
  contentLength: number;
  cookies: number;
  /** The first that is no pseudo-header. */
  first: number;
}

/**
 * Writes a request of HTTP/2 as a head of HTTP/1.1, framed by what we know of its body and not by what the client says:
 * `last` when there is none. `undefined` when it is malformed (RFC 9113 sections 8.1.1 and 8.3.1); what a head of HTTP/1.1
 * must keep besides is for its parser to find.
 */
export function composeHead(lines: FieldLines, last: boolean): RequestHead | undefined {
  const places = findPlaces(lines);
  if (places === undefined) return undefined;
  const { method, scheme, path, authority, protocol, host } = places;
  const isConnect = method >= 0 && lines.value(method) === "CONNECT";
  if (method < 0 || (protocol >= 0 && !isConnect)) return undefined;
  const tunnel = protocol >= 0;
  if (isConnect && !tunnel) {
    // Nobody is connected anywhere by us; the answer to that is one of HTTP.
    const bytes = Buffer.from("CONNECT / HTTP/1.1\r\nhost: none\r\n\r\n", "latin1");
    return scheme >= 0 || path >= 0 || authority < 0 ? undefined : { bytes, protocol: undefined };
  }
  if (scheme < 0 || path < 0 || (tunnel && last) || (tunnel && authority < 0)) return undefined;
  const first = lines.bytes[lines.valueStart(path)];
  if (lines.valueEnd(path) === lines.valueStart(path) || (first !== slash && lines.value(path) !== "*"))
    return undefined;
  if (authority >= 0 && host >= 0 && lines.value(host).toLowerCase() !== lines.value(authority).toLowerCase()) {
    return undefined;
  }
  if (last && places.contentLength >= 0 && !/^0+$/.test(lines.value(places.contentLength))) return undefined;
  if (tunnel && places.contentLength >= 0) return undefined;
  scratch.length = 0;
  const head = scratch;
  if (tunnel) head.text("GET");
  else head.copy(lines.bytes, lines.valueStart(method), lines.valueEnd(method));
  head.byte(space);
  head.copy(lines.bytes, lines.valueStart(path), lines.valueEnd(path));
  const name = authority >= 0 ? authority : host;
  if (name < 0) head.copy(version, 0, version.length - 6);
  else {
    head.copy(version, 0, version.length);
    head.copy(lines.bytes, lines.valueStart(name), lines.valueEnd(name));
    head.copy(crlf, 0, 2);
  }
  copyFields(head, lines, places);
  const asked = tunnel ? lines.value(protocol) : undefined;
  if (asked !== undefined) head.text(upgradeFields(asked));
  else if (!last && places.contentLength < 0) head.copy(chunked, 0, chunked.length);
  head.copy(crlf, 0, 2);
  return { bytes: takeBytes(head), protocol: asked };
}

function upgradeFields(protocol: string): string {
  const key = protocol === "websocket" ? `sec-websocket-key: ${randomBytes(16).toString("base64")}\r\n` : "";
  return `connection: upgrade\r\nupgrade: ${protocol}\r\n${key}`;
}

function findPlaces(lines: FieldLines): Places | undefined {
  const places: Places = {
    method: -1,
    scheme: -1,
    path: -1,
    authority: -1,
    protocol: -1,
    host: -1,
    contentLength: -1,
    cookies: 0,
    first: -1,
  };
  for (let field = 0; field < lines.count; field += 1) {
    const kind = lines.mark(field);
    if (kind === mark.malformed || kind === mark.status) return undefined;
    const isPseudo = kind >= mark.method && kind <= mark.protocol;
    if (!isPseudo && places.first < 0) places.first = field;
    // Pseudo-headers stand in front.
    if (isPseudo && places.first >= 0) return undefined;
    if (!place(places, kind, field)) return undefined;
  }
  return places;
}

/** Notes a field; false for a second one of what there may be one of. */
function place(places: Places, kind: number, field: number): boolean {
  const slot = slots[kind];
  if (kind === mark.cookie) places.cookies += 1;
  if (slot === undefined) return true;
  if (places[slot] >= 0) return false;
  places[slot] = field;
  return true;
}

const slots: readonly (Exclude<keyof Places, "first" | "cookies"> | undefined)[] = [
  undefined,
  "method",
  "scheme",
  "path",
  "authority",
  "protocol",
  undefined,
  "host",
  "contentLength",
];

function copyFields(head: ByteWriter, lines: FieldLines, { first, host, cookies }: Places): void {
  if (first < 0) return;
  if (host < 0 && cookies <= 1) {
    head.copy(lines.bytes, lines.start(first), lines.length);
    return;
  }
  const crumbs: string[] = [];
  for (let field = first; field < lines.count; field += 1) {
    if (field === host) continue;
    if (cookies > 1 && lines.mark(field) === mark.cookie) crumbs.push(lines.value(field));
    else head.copy(lines.bytes, lines.start(field), lines.start(field + 1));
  }
  // RFC 9113 section 8.2.3: crumbs are one cookie to whoever does not speak HTTP/2.
  if (crumbs.length > 0) head.text(`cookie: ${crumbs.join("; ")}\r\n`);
}

/** Memory that heads are cut from: one allocation for many. A piece lives as long as any head in it. */
let slab = Buffer.allocUnsafeSlow(0);
let used = 0;
const slabBytes = 64 * 1024;

/** What was written, in bytes of its own that stay. */
function takeBytes({ bytes, length }: ByteWriter): Buffer {
  if (length > slabBytes / 4) return Buffer.from(bytes.subarray(0, length));
  if (used + length > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabBytes);
    used = 0;
  }
  bytes.copy(slab, used, 0, length);
  used += length;
  return slab.subarray(used - length, used);
}
