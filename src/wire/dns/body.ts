import { lowerName, type WireName } from "./name.ts";
import { headerLength, types } from "./numbers.ts";
import { dataLayouts, type ResourceRecord } from "./record.ts";

/**
 * All that follows the question in an answer, as bytes that are right behind any spelling of one question name: names
 * are compressed against the question, whose length is always the same, so the client's own spelling comes back.
 */
export interface Body {
  readonly bytes: Uint8Array;
  /** Where each record ends in `bytes`. */
  readonly ends: readonly number[];
  /** Where each record's TTL stands in `bytes`. */
  readonly ttls: readonly number[];
  /** Records in the answer, authority and additional section. */
  readonly counts: readonly [answers: number, authorities: number, additionals: number];
  /** A run of equally long address records whose order means nothing, for the caller to shuffle. */
  readonly run?: { readonly start: number; readonly size: number; readonly count: number };
}

export interface Sections {
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
  readonly additionals?: readonly ResourceRecord[];
}

/** An answer is a message of at most 65535 bytes; what is longer is cut at a record by `writeResponse`. */
const bodyLimit = 65_535;
const pointerLimit = 0x4000;

export const emptyBody: Body = { bytes: new Uint8Array(0), ends: [], ttls: [], counts: [0, 0, 0] };

/** Renders the sections for a question name. Records that would pass the limit of a message are left out whole. */
export function renderBody(question: WireName, { answers = [], authorities = [], additionals = [] }: Sections): Body {
  const writer = createWriter(question);
  const counts: [number, number, number] = [0, 0, 0];
  const ends: number[] = [];
  const ttls: number[] = [];
  const sections = [answers, authorities, additionals];
  let full = false;
  for (const [section, records] of sections.entries()) {
    for (const record of full ? [] : records) {
      const ttlAt = writer.record(record);
      full = ttlAt === undefined;
      if (ttlAt === undefined) break;
      ttls.push(ttlAt);
      ends.push(writer.length());
      counts[section] = (counts[section] ?? 0) + 1;
    }
  }
  return { bytes: writer.bytes(), ends, ttls, counts, run: addressRun(answers.slice(0, counts[0]), ends) };
}

/** The last stretch of answers that are addresses of one owner: what a chain of CNAMEs leads to. */
function addressRun(answers: readonly ResourceRecord[], ends: readonly number[]): Body["run"] {
  const last = answers.at(-1);
  if (last === undefined || (last.type !== types.A && last.type !== types.AAAA)) return undefined;
  let first = answers.length - 1;
  const same = (record: ResourceRecord | undefined) => record?.type === last.type && record.name === last.name;
  while (first > 0 && same(answers[first - 1])) first -= 1;
  const count = answers.length - first;
  const start = first === 0 ? 0 : (ends[first - 1] as number);
  const size = ((ends[answers.length - 1] as number) - start) / count;
  const equal = ends.slice(first, answers.length).every((end, index) => end === start + (index + 1) * size);
  return count > 1 && equal ? { start, size, count } : undefined;
}

function createWriter(question: WireName) {
  let buffer = Buffer.alloc(512);
  let at = 0;
  /** Lower-case suffix -> its offset in the message. */
  const seen = new Map<string, number>();
  const base = headerLength + question.length + 1 + 4;
  for (let label = 0; label < question.length; label += 1 + question.charCodeAt(label)) {
    seen.set(lowerName(question.slice(label)), headerLength + label);
  }

  function room(bytes: number): void {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.alloc(Math.max(buffer.length * 2, at + bytes));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  }

  function name(text: WireName, compress: boolean): void {
    room(text.length + 2);
    let label = 0;
    while (label < text.length) {
      const suffix = lowerName(text.slice(label));
      const found = seen.get(suffix);
      if (compress && found !== undefined) {
        at = buffer.writeUInt16BE(0xc000 | found, at);
        return;
      }
      if (found === undefined && base + at < pointerLimit) seen.set(suffix, base + at);
      const length = 1 + text.charCodeAt(label);
      at += buffer.write(text.slice(label, label + length), at, "latin1");
      label += length;
    }
    at = buffer.writeUInt8(0, at);
  }

  /** Names in data of types newer than RFC 1035 stay written out (RFC 3597 4, RFC 2782), yet later names point to them. */
  function data({ type, data }: ResourceRecord): void {
    const layout = dataLayouts.get(type);
    if (layout === undefined) {
      room(data.length);
      buffer.set(data, at);
      at += data.length;
      return;
    }
    let from = 0;
    for (const part of layout) {
      let stop = from;
      if (typeof part === "number") stop += part;
      else while (data[stop] !== 0 && stop < data.length) stop += 1 + (data[stop] as number);
      const bytes = Buffer.from(data.buffer, data.byteOffset + from, stop - from);
      if (typeof part === "number") {
        room(part);
        buffer.set(bytes, at);
        at += part;
        from = stop;
      } else {
        name(bytes.toString("latin1"), type !== types.SRV);
        from = stop + 1;
      }
    }
  }

  return {
    /** The offset of its TTL, or `undefined` when it does not fit. */
    record(record: ResourceRecord): number | undefined {
      const start = at;
      name(record.name, true);
      room(10);
      at = buffer.writeUInt16BE(record.type, at);
      at = buffer.writeUInt16BE(record.class, at);
      const ttlAt = at;
      at = buffer.writeUInt32BE(record.ttl, at);
      const lengthAt = at;
      at += 2;
      data(record);
      buffer.writeUInt16BE(at - lengthAt - 2, lengthAt);
      if (base + at <= bodyLimit) return ttlAt;
      at = start;
      return undefined;
    },
    length: () => at,
    bytes: () => new Uint8Array(buffer.subarray(0, at)),
  };
}
