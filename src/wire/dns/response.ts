import type { Body } from "./body.ts";
import { flags, headerLength } from "./numbers.ts";
import type { Malformed, Query } from "./query.ts";
import type { Question } from "./message.ts";

export interface ResponseHead {
  /** Extended codes (above 15) need a client that sent EDNS. */
  readonly rcode: number;
  readonly authoritative: boolean;
  /** The source said that records are missing. */
  readonly truncated?: boolean;
  readonly authenticData?: boolean;
}

const optLength = 11;

/**
 * Writes the answer to `query` into `out` and returns its length, at most `limit`: whole records are dropped from the
 * end, and TC set, until it fits. The question is copied from the packet as it was spelled. OPT is there exactly when
 * the client sent one (RFC 6891 6.1.1). RA is always set. `out` needs room for the whole body plus 300 bytes.
 */
export function writeResponse(
  out: Uint8Array,
  packet: Uint8Array,
  query: Query,
  head: ResponseHead,
  body: Body,
  limit: number,
): number {
  const { questionEnd, edns } = query;
  for (let at = headerLength; at < questionEnd; at++) out[at] = packet[at] as number;
  out.set(body.bytes, questionEnd);
  const room = limit - questionEnd - (edns === undefined ? 0 : optLength);
  let [answers, authorities, additionals] = body.counts;
  let length = body.bytes.length;
  let truncated = head.truncated ?? false;
  if (length > room) {
    truncated = true;
    let kept = body.ends.length;
    while (kept > 0 && (body.ends[kept - 1] as number) > room) kept -= 1;
    length = kept === 0 ? 0 : (body.ends[kept - 1] as number);
    answers = Math.min(answers, kept);
    authorities = Math.min(authorities, kept - answers);
    additionals = kept - answers - authorities;
  }
  put16(out, 0, query.id);
  const { rcode, authoritative, authenticData } = head;
  const copied = query.flags & (flags.RD | flags.CD);
  const ours =
    flags.QR | flags.RA | (authoritative ? flags.AA : 0) | (authenticData ? flags.AD : 0) | (truncated ? flags.TC : 0);
  put16(out, 2, copied | ours | (rcode & 0xf));
  put16(out, 4, 1);
  put16(out, 6, answers);
  put16(out, 8, authorities);
  put16(out, 10, additionals + (edns === undefined ? 0 : 1));
  let at = questionEnd + length;
  if (edns !== undefined) {
    out[at] = 0;
    put16(out, at + 1, 41);
    put16(out, at + 3, Math.max(512, edns.size));
    out[at + 5] = rcode >> 4;
    out[at + 6] = 0;
    put16(out, at + 7, edns.do ? 0x8000 : 0);
    put16(out, at + 9, 0);
    at += optLength;
  }
  return at;
}

/** A bare header for a packet that could not be read. */
export function writeMalformed(out: Uint8Array, { id, flags: asked, rcode }: Malformed): number {
  out.fill(0, 0, headerLength);
  put16(out, 0, id);
  put16(out, 2, flags.QR | (asked & (0x7800 | flags.RD)) | rcode);
  return headerLength;
}

/** A query to send: recursion desired, one question, and OPT with the size this side takes. */
export function renderQuery(
  id: number,
  question: Question,
  options: { size: number; do?: boolean; cd?: boolean; edns?: boolean },
): Uint8Array {
  const { size, edns = true } = options;
  const packet = Buffer.alloc(headerLength + question.name.length + 5 + (edns ? optLength : 0));
  packet.writeUInt16BE(id, 0);
  packet.writeUInt16BE(flags.RD | (options.cd ? flags.CD : 0), 2);
  packet.writeUInt16BE(1, 4);
  packet.writeUInt16BE(edns ? 1 : 0, 10);
  let at = headerLength + packet.write(question.name, headerLength, "latin1") + 1;
  at = packet.writeUInt16BE(question.type, at);
  at = packet.writeUInt16BE(question.class, at);
  if (!edns) return packet;
  packet.writeUInt16BE(41, at + 1);
  packet.writeUInt16BE(size, at + 3);
  packet.writeUInt16BE(options.do ? 0x8000 : 0, at + 7);
  return packet;
}

function put16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >> 8;
  out[at + 1] = value & 0xff;
}
