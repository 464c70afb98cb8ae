import type { ByteWriter } from "#wire/http2/byte-writer.ts";
import type { HpackEncoder } from "#wire/http2/hpack/encoder.ts";
import { kind } from "#wire/http1/field-kind.ts";
import { nominatedFields, parseFields, HeadTable } from "#wire/http1/head.ts";
import type { FieldEdits } from "../filters/filter.ts";
import type { BlockWriter } from "./frames-out.ts";

/** Fields of HTTP/1.1 that have no place in HTTP/2 (RFC 9113 section 8.2.2). */
const dropped = new Uint8Array(32);
for (const known of [kind.connection, kind.keepAlive, kind.proxyConnection, kind.transferEncoding, kind.upgrade])
  dropped[known] = 1;

export interface PassedFields {
  readonly bytes: Buffer;
  readonly head: HeadTable;
  readonly edits?: FieldEdits;
  /** Lower-case names that are left out besides. */
  readonly without?: ReadonlySet<string>;
}

/** Writes the fields of a head of HTTP/1.1, less those of its hop. */
export function composeFields(
  encoder: HpackEncoder,
  out: ByteWriter,
  { bytes, head, edits, without }: PassedFields,
): void {
  const nominated = head.nominates ? nominatedFields(bytes, head) : undefined;
  const byName = nominated !== undefined || edits !== undefined || without !== undefined;
  for (let field = 0; field < head.count; field += 1) {
    if (dropped[head.kinds[field] ?? 0] === 1) continue;
    const nameStart = head.nameStart(field);
    const nameEnd = head.nameEnd(field);
    if (byName) {
      const name = bytes.toString("latin1", nameStart, nameEnd).toLowerCase();
      if (nominated?.has(name) === true || edits?.has(name) === true || without?.has(name) === true) continue;
    }
    encoder.field(out, bytes, nameStart, nameEnd, head.valueStart(field), head.valueEnd(field));
  }
  if (edits === undefined) return;
  for (const { name, value } of edits.values()) if (value !== undefined) encoder.text(out, name.toLowerCase(), value);
}

const trailerTable = new HeadTable();

/** Writes trailers that came as lines of HTTP/1.1; `undefined` when there are none. */
export function trailerWriter(section: Buffer): BlockWriter | undefined {
  if (section.length <= 2 || parseFields(section, 0, section.length, trailerTable) <= 0) return undefined;
  return (encoder, out) => {
    parseFields(section, 0, section.length, trailerTable);
    composeFields(encoder, out, { bytes: section, head: trailerTable });
  };
}
