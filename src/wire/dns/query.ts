import type { WireName } from "./name.ts";
import { flags, headerLength, rcodes, types } from "./numbers.ts";

/** A well-formed question, with what a server needs to answer it. */
export interface Query {
  readonly kind: "query";
  readonly id: number;
  /** The second header word as it came. */
  readonly flags: number;
  /** In lower case; the asked spelling is echoed from the packet. */
  readonly name: WireName;
  readonly type: number;
  readonly class: number;
  /** Where the question section ends in the packet; it starts after the header. */
  readonly questionEnd: number;
  readonly edns?: Edns;
}

export interface Edns {
  readonly version: number;
  /** The largest UDP answer the client takes, as it said. */
  readonly size: number;
  /** DNSSEC OK. */
  readonly do: boolean;
}

/** A packet that is answered with a bare header of this code, so that no answer is larger than its question. */
export interface Malformed {
  readonly kind: "malformed";
  readonly id: number;
  readonly flags: number;
  readonly rcode: number;
}

/** A packet that must not be answered: too short for a header, or itself an answer. */
export interface Silent {
  readonly kind: "silent";
  readonly reason: "short" | "response";
}

const short: Silent = { kind: "silent", reason: "short" };
const response: Silent = { kind: "silent", reason: "response" };
const opcodeMask = 0x7800;
const opcodeNotify = 0x2000;
const scratch = Buffer.alloc(256);

/**
 * Reads a query as strictly as CoreDNS's acceptance rules do: one question, QUERY only, at most one record in the
 * answer and authority sections and two behind them, one OPT (RFC 6891). Bytes after the last record are let pass.
 */
export function parseQuery(packet: Uint8Array): Query | Malformed | Silent {
  if (packet.length < headerLength) return short;
  const id = word(packet, 0);
  const head = word(packet, 2);
  if (head & flags.QR) return response;
  const refuse = (rcode: number): Malformed => ({ kind: "malformed", id, flags: head, rcode });
  const opcode = head & opcodeMask;
  if (opcode !== 0) return refuse(opcode === opcodeNotify ? rcodes.REFUSED : rcodes.NOTIMP);
  const [answers, authorities, additionals] = [word(packet, 6), word(packet, 8), word(packet, 10)];
  if (word(packet, 4) !== 1 || answers > 1 || authorities > 1 || additionals > 2) return refuse(rcodes.FORMERR);

  let at = headerLength;
  for (;;) {
    const length = packet[at];
    if (length === undefined || length > 63 || at - headerLength + 1 + length > 255) return refuse(rcodes.FORMERR);
    if (length === 0) break;
    at += 1 + length;
  }
  const nameEnd = at;
  const questionEnd = at + 5;
  if (questionEnd > packet.length) return refuse(rcodes.FORMERR);
  for (let from = headerLength; from < nameEnd; from++) {
    const byte = packet[from] as number;
    scratch[from - headerLength] = byte >= 65 && byte <= 90 ? byte | 32 : byte;
  }
  const query = {
    kind: "query",
    id,
    flags: head,
    name: scratch.toString("latin1", 0, nameEnd - headerLength),
    type: word(packet, nameEnd + 1),
    class: word(packet, nameEnd + 3),
    questionEnd,
  } as const;
  const records = answers + authorities + additionals;
  if (records === 0) return query;
  const edns = findEdns(packet, questionEnd, answers + authorities, records);
  if (edns === "malformed") return refuse(rcodes.FORMERR);
  return edns === undefined ? query : { ...query, edns };
}

function findEdns(packet: Uint8Array, start: number, before: number, records: number): Edns | undefined | "malformed" {
  let at = start;
  let edns: Edns | undefined;
  for (let record = 0; record < records; record++) {
    const nameStart = at;
    const nameEnd = skipName(packet, at);
    if (nameEnd === -1 || nameEnd + 10 > packet.length) return "malformed";
    at = nameEnd + 10 + word(packet, nameEnd + 8);
    if (at > packet.length) return "malformed";
    if (word(packet, nameEnd) !== types.OPT) continue;
    if (edns !== undefined || record < before || packet[nameStart] !== 0) return "malformed";
    edns = {
      version: packet[nameEnd + 5] as number,
      size: word(packet, nameEnd + 2),
      do: ((packet[nameEnd + 6] as number) & 0x80) !== 0,
    };
    if (!optionsFit(packet, nameEnd + 10, at)) return "malformed";
  }
  return edns;
}

function optionsFit(packet: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (at + 4 > end) return false;
    at += 4 + word(packet, at + 2);
  }
  return at === end;
}

/** Past a name whose text is not needed; a pointer ends it. -1 when it is cut short. */
function skipName(packet: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const length = packet[at];
    if (length === undefined || at - start > 255) return -1;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return -1;
    at += 1 + length;
  }
}

function word(packet: Uint8Array, at: number): number {
  return ((packet[at] as number) << 8) | (packet[at + 1] as number);
}
