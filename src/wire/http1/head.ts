import { byteClass, COLON, CR, isToken, isValue, LF, SP, TAB } from "./bytes.ts";
import { fieldKind, kind } from "./field-kind.ts";
import { refusal } from "./problem.ts";

/** How many fields a head may have. */
export const maxFields = 128;

/** The whole head, start line included. */
export const maxHeadBytes = 32 * 1024;

const bareLf = refusal("bare-lf");
const bareCr = refusal("bare-cr");
const spaceBeforeColon = refusal("space-before-colon");
const foldedLine = refusal("folded-line");
const badFieldName = refusal("bad-field-name");
const badFieldValue = refusal("bad-field-value");
const tooManyFields = refusal("too-many-fields");

/**
 * Where the parts of a head lie in its bytes. One table is used again for every head of a worker: whoever needs a part
 * later keeps the bytes and parses again.
 */
export class HeadTable {
  /** Request line. */
  methodStart = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** The part of the target that is a path and query; the whole of it but for absolute-form. */
  pathStart = 0;
  /** The host and port of an absolute-form target; -1 in origin-form. */
  authorityStart = -1;
  authorityEnd = -1;
  /** Status line. */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  minor = 1;
  /** Where the first field line starts. */
  fieldsStart = 0;

  count = 0;
  /** Four numbers a field: start and end of the name, start and end of the value without white space around it. */
  readonly offsets = new Int32Array(maxFields * 4);
  readonly kinds = new Uint8Array(maxFields);

  hosts = 0;
  hostField = -1;
  contentLengths = 0;
  contentLengthField = -1;
  codings = 0;
  codingField = -1;
  upgradeField = -1;
  expectField = -1;
  requestIdField = -1;
  forwardedForField = -1;
  /** What Connection says (RFC 9110 section 7.6.1); `nominates` when it names other fields that end here. */
  close = false;
  keepAlive = false;
  upgrade = false;
  nominates = false;

  reset(): void {
    this.count = 0;
    this.hosts = 0;
    this.hostField = -1;
    this.contentLengths = 0;
    this.contentLengthField = -1;
    this.codings = 0;
    this.codingField = -1;
    this.upgradeField = -1;
    this.expectField = -1;
    this.requestIdField = -1;
    this.forwardedForField = -1;
    this.close = false;
    this.keepAlive = false;
    this.upgrade = false;
    this.nominates = false;
  }

  nameStart(field: number): number {
    return this.offsets[field * 4] ?? 0;
  }

  nameEnd(field: number): number {
    return this.offsets[field * 4 + 1] ?? 0;
  }

  valueStart(field: number): number {
    return this.offsets[field * 4 + 2] ?? 0;
  }

  valueEnd(field: number): number {
    return this.offsets[field * 4 + 3] ?? 0;
  }
}

/**
 * Reads field lines up to and with the empty line (RFC 9112 section 5). Returns the position after it, 0 when the bytes
 * end before it, or a refusal.
 */
export function parseFields(bytes: Uint8Array, start: number, end: number, head: HeadTable): number {
  const { offsets, kinds } = head;
  let at = start;
  let count = 0;
  for (;;) {
    if (at >= end) return 0;
    const first = bytes[at] ?? 0;
    if (first === CR) {
      if (at + 1 >= end) return 0;
      if (bytes[at + 1] !== LF) return bareCr;
      head.count = count;
      return at + 2;
    }
    if (first === LF) return bareLf;
    if (first === SP || first === TAB) return foldedLine;
    const nameStart = at;
    let underscore = false;
    while (at < end && ((byteClass[bytes[at] ?? 0] ?? 0) & isToken) !== 0) {
      if (bytes[at] === 0x5f) underscore = true;
      at += 1;
    }
    if (at >= end) return 0;
    if (bytes[at] !== COLON) {
      const byte = bytes[at];
      if (at > nameStart && (byte === SP || byte === TAB)) return spaceBeforeColon;
      return byte === LF ? bareLf : badFieldName;
    }
    const nameEnd = at;
    if (nameEnd === nameStart) return badFieldName;
    at += 1;
    while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at += 1;
    const valueStart = at;
    while (at < end && ((byteClass[bytes[at] ?? 0] ?? 0) & isValue) !== 0) at += 1;
    if (at >= end) return 0;
    if (bytes[at] !== CR) return bytes[at] === LF ? bareLf : badFieldValue;
    if (at + 1 >= end) return 0;
    if (bytes[at + 1] !== LF) return bareCr;
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd -= 1;
    at += 2;
    if (count === maxFields) return tooManyFields;
    const slot = count * 4;
    offsets[slot] = nameStart;
    offsets[slot + 1] = nameEnd;
    offsets[slot + 2] = valueStart;
    offsets[slot + 3] = valueEnd;
    const known = underscore ? kind.underscore : fieldKind(bytes, nameStart, nameEnd);
    kinds[count] = known;
    if (known !== kind.other) note(bytes, head, known, count, valueStart, valueEnd);
    count += 1;
  }
}

function note(bytes: Uint8Array, head: HeadTable, known: number, field: number, start: number, end: number): void {
  switch (known) {
    case kind.host:
      head.hosts += 1;
      head.hostField = field;
      break;
    case kind.contentLength:
      head.contentLengths += 1;
      head.contentLengthField = field;
      break;
    case kind.transferEncoding:
      head.codings += 1;
      head.codingField = field;
      break;
    case kind.upgrade:
      head.upgradeField = field;
      break;
    case kind.expect:
      head.expectField = field;
      break;
    case kind.xRequestId:
      head.requestIdField = field;
      break;
    case kind.xForwardedFor:
      head.forwardedForField = field;
      break;
    case kind.connection:
      noteConnection(bytes, head, start, end);
      break;
    default:
  }
}

function noteConnection(bytes: Uint8Array, head: HeadTable, start: number, end: number): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
  if (text === "keep-alive") head.keepAlive = true;
  else if (text === "close") head.close = true;
  else
    for (const item of text.split(",")) {
      const option = item.trim().toLowerCase();
      if (option === "close") head.close = true;
      else if (option === "keep-alive") head.keepAlive = true;
      else if (option === "upgrade") head.upgrade = true;
      else if (option !== "") head.nominates = true;
    }
}

/** The value of the field of this lower-case name, several lines joined by commas; `undefined` when there is none. */
export function findField(bytes: Buffer, head: HeadTable, name: string): string | undefined {
  let found: string | undefined;
  for (let field = 0; field < head.count; field += 1) {
    const start = head.nameStart(field);
    const end = head.nameEnd(field);
    if (end - start !== name.length || bytes.toString("latin1", start, end).toLowerCase() !== name) continue;
    const value = bytes.toString("latin1", head.valueStart(field), head.valueEnd(field));
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

/**
 * The names of the fields that Connection declares to be for this hop only. Fields that frame or route a message cannot
 * be taken away by it, whoever asks for it.
 */
export function nominatedFields(bytes: Buffer, head: HeadTable): ReadonlySet<string> {
  const names = new Set<string>();
  for (let field = 0; field < head.count; field += 1) {
    if (head.kinds[field] !== kind.connection) continue;
    const value = bytes.toString("latin1", head.valueStart(field), head.valueEnd(field));
    for (const item of value.split(",")) names.add(item.trim().toLowerCase());
  }
  for (const name of kept) names.delete(name);
  return names;
}

const kept = ["host", "content-length", "transfer-encoding", "authorization", "cookie", "x-request-id"];
