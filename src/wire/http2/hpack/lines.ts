import { ByteWriter } from "../byte-writer.ts";

/** How many fields one header block may have. */
export const maxLines = 256;

/**
 * A decoded header block. Each field lies as a line of HTTP/1.1, `name: value` and CRLF, one behind the other, so that
 * fields that go on as they are can be copied in one piece.
 */
export class FieldLines extends ByteWriter {
  count = 0;
  /** The size that RFC 9113 section 6.5.2 counts: names, values, and 32 a field. */
  listSize = 0;
  /** The list was larger than allowed; what did not fit is left out. */
  overflow = false;
  private readonly offsets = new Int32Array(maxLines * 2);
  private readonly marks = new Int32Array(maxLines);

  constructor() {
    super(8 * 1024);
  }

  reset(): void {
    this.length = 0;
    this.count = 0;
    this.listSize = 0;
    this.overflow = false;
  }

  /** Notes a line that lies in `[start, length)` with the name up to `split`. */
  note(start: number, split: number, mark: number): void {
    const { count } = this;
    this.offsets[count * 2] = start;
    this.offsets[count * 2 + 1] = split;
    this.marks[count] = mark;
    this.count = count + 1;
  }

  /** Where the line begins; `start(count)` is the end of the last one. */
  start(field: number): number {
    return field < this.count ? (this.offsets[field * 2] ?? 0) : this.length;
  }

  /** Where the name ends. */
  split(field: number): number {
    return this.offsets[field * 2 + 1] ?? 0;
  }

  /** What `inspect` of the decoder said of the field. */
  mark(field: number): number {
    return this.marks[field] ?? 0;
  }

  valueStart(field: number): number {
    return this.split(field) + 2;
  }

  valueEnd(field: number): number {
    return this.start(field + 1) - 2;
  }

  /** One character a byte. */
  name(field: number): string {
    return this.bytes.toString("latin1", this.start(field), this.split(field));
  }

  value(field: number): string {
    return this.bytes.toString("latin1", this.valueStart(field), this.valueEnd(field));
  }
}

/** What a line of `bytes` counts for in header lists and tables (RFC 7541 section 4.1): 32, and no `: ` nor CRLF. */
export function lineSize(bytes: number): number {
  return bytes + 28;
}
