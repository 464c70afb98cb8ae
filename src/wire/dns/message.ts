import { lowerName, readName, type WireName } from "./name.ts";
import { flags, headerLength, types } from "./numbers.ts";
import { dataLayouts, type ResourceRecord } from "./record.ts";

export interface Question {
  readonly name: WireName;
  readonly type: number;
  readonly class: number;
}

/** A whole message. OPT is taken out of the additional section: its extended code is in `rcode`. */
export interface Message {
  readonly id: number;
  /** The second header word, its four code bits among them. */
  readonly flags: number;
  /** With the extended bits of EDNS. */
  readonly rcode: number;
  readonly question?: Question;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  readonly edns: boolean;
}

/** Reads an answer whole; `undefined` when any part of it is malformed, so that nothing of it is believed. */
export function parseMessage(packet: Uint8Array): Message | undefined {
  if (packet.length < headerLength) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const head = view.getUint16(2);
  const questions = view.getUint16(4);
  if (questions > 1) return undefined;
  let at = headerLength;
  let question: Question | undefined;
  if (questions === 1) {
    const read = readName(packet, at);
    if (read === undefined || read.next + 4 > packet.length) return undefined;
    question = { name: read.name, type: view.getUint16(read.next), class: view.getUint16(read.next + 2) };
    at = read.next + 4;
  }
  const sections: ResourceRecord[][] = [];
  for (const countAt of [6, 8, 10]) {
    const records: ResourceRecord[] = [];
    for (let left = view.getUint16(countAt); left > 0; left--) {
      const read = readRecord(packet, view, at);
      if (read === undefined) return undefined;
      records.push(read.record);
      at = read.next;
    }
    sections.push(records);
  }
  const [answers = [], authorities = [], all = []] = sections;
  const opt = all.find((record) => record.type === types.OPT);
  const additionals = opt === undefined ? all : all.filter((record) => record.type !== types.OPT);
  const rcode = (head & 0xf) | (opt === undefined ? 0 : (opt.ttl >>> 24) << 4);
  const id = view.getUint16(0);
  return { id, flags: head, rcode, question, answers, authorities, additionals, edns: opt !== undefined };
}

function readRecord(
  packet: Uint8Array,
  view: DataView,
  at: number,
): { record: ResourceRecord; next: number } | undefined {
  const owner = readName(packet, at);
  if (owner === undefined || owner.next + 10 > packet.length) return undefined;
  const type = view.getUint16(owner.next);
  const start = owner.next + 10;
  const next = start + view.getUint16(owner.next + 8);
  if (next > packet.length) return undefined;
  const data = readData(packet, type, start, next);
  if (data === undefined) return undefined;
  const ttl = view.getUint32(owner.next + 4);
  return { record: { name: owner.name, type, class: view.getUint16(owner.next + 2), ttl, data }, next };
}

/** The data with its names written out, copied so that the packet can be let go. */
function readData(packet: Uint8Array, type: number, start: number, end: number): Uint8Array | undefined {
  const layout = dataLayouts.get(type);
  if (layout === undefined) {
    const fixed = type === types.A ? 4 : type === types.AAAA ? 16 : undefined;
    return fixed === undefined || fixed === end - start ? new Uint8Array(packet.subarray(start, end)) : undefined;
  }
  const parts: Uint8Array[] = [];
  let at = start;
  for (const part of layout) {
    if (typeof part === "number") {
      if (at + part > end) return undefined;
      parts.push(packet.subarray(at, at + part));
      at += part;
    } else {
      const read = readName(packet, at, end);
      if (read === undefined || read.next > end) return undefined;
      parts.push(Buffer.from(`${read.name}\0`, "latin1"));
      at = read.next;
    }
  }
  return at === end ? Buffer.concat(parts) : undefined;
}

/** Whether this is an answer to that question: same id, name, type and class, and no query itself. */
export function answersQuestion(message: Message, id: number, asked: Question): boolean {
  const { question } = message;
  return (
    (message.flags & flags.QR) !== 0 &&
    message.id === id &&
    question !== undefined &&
    question.type === asked.type &&
    question.class === asked.class &&
    lowerName(question.name) === lowerName(asked.name)
  );
}
