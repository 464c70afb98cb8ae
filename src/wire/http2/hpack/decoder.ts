import { errorCode } from "../frame.ts";
import { decodeHuffman } from "./huffman.ts";
import { IntegerReader } from "./integer.ts";
import { lineSize, maxLines, type FieldLines } from "./lines.ts";
import { staticFields } from "./static-table.ts";

/** Looks at a field `name: value` once, however often it is referred to afterwards; the name ends at `split`. */
export type Inspect = (bytes: Uint8Array, start: number, split: number, end: number) => number;

interface Entry {
  readonly line: Buffer;
  readonly split: number;
  readonly mark: number;
}

const COLON = 58;
const SP = 32;
const CR = 13;
const LF = 10;
const { compression } = errorCode;

export interface HpackDecoderOptions {
  readonly inspect: Inspect;
  /** The largest dynamic table we announced. */
  readonly tableSize: number;
  /** The largest header list; what is beyond is left out of the result, and `overflow` says so. */
  readonly listSize: number;
}

/** Reads header blocks (RFC 7541). One decoder a connection and direction: blocks must come whole and in order. */
export class HpackDecoder {
  private readonly options: HpackDecoderOptions;
  private readonly fixed: readonly Entry[];
  /** The newest entry first in count: entry `i` of the table is `dynamic[added - 1 - i]`, kept in a ring. */
  private readonly ring: (Entry | undefined)[];
  private added = 0;
  private held = 0;
  private size = 0;
  private limit: number;
  private readonly integer = new IntegerReader();

  constructor(options: HpackDecoderOptions) {
    this.options = options;
    this.limit = options.tableSize;
    this.ring = new Array<Entry | undefined>(Math.floor(options.tableSize / 32) + 1).fill(undefined);
    this.fixed = fixedEntries(options.inspect);
  }

  /** Decodes a whole block into `lines`. Returns 0 or COMPRESSION_ERROR, after which the connection must end. */
  decode(block: Buffer, start: number, end: number, lines: FieldLines): number {
    lines.reset();
    let at = start;
    let begun = false;
    while (at < end) {
      const byte = block[at] ?? 0;
      if (byte >= 0x80) {
        const entry = this.entry(this.integer.read(block, at, end, 7));
        if (entry === undefined) return compression;
        this.refer(entry, lines);
      } else if (byte >= 0x20 && byte < 0x40) {
        // Changes of the table's size stand in front of the fields (section 4.2).
        const size = this.integer.read(block, at, end, 5);
        if (begun || size < 0 || size > this.options.tableSize) return compression;
        this.limit = size;
        this.evict(0);
        at = this.integer.at;
        continue;
      } else if (!this.literal(block, at, end, lines)) return compression;
      begun = true;
      at = this.integer.at;
    }
    return 0;
  }

  private entry(index: number): Entry | undefined {
    if (index <= 0) return undefined;
    if (index <= staticFields.length) return this.fixed[index - 1];
    const back = index - staticFields.length;
    return back > this.held ? undefined : this.ring[(this.added - back) % this.ring.length];
  }

  private refer({ line, split, mark }: Entry, lines: FieldLines): void {
    if (!this.fits(line.length, lines)) return;
    const start = lines.length;
    lines.copy(line, 0, line.length);
    lines.note(start, start + split, mark);
  }

  /** Counts a line; false when it must be left out. */
  private fits(bytes: number, lines: FieldLines): boolean {
    lines.listSize += lineSize(bytes);
    if (lines.listSize <= this.options.listSize && lines.count < maxLines) return true;
    lines.overflow = true;
    return false;
  }

  /** A literal field (section 6.2); leaves the position behind it in `integer.at`. */
  private literal(block: Buffer, at: number, end: number, lines: FieldLines): boolean {
    const keeps = ((block[at] ?? 0) & 0x40) !== 0;
    const index = this.integer.read(block, at, end, keeps ? 6 : 4);
    if (index < 0) return false;
    const start = lines.length;
    if (index > 0) {
      const named = this.entry(index);
      if (named === undefined) return false;
      lines.copy(named.line, 0, named.split);
    } else if (!this.text(block, end, lines)) return false;
    const split = lines.length;
    lines.reserve(2);
    lines.bytes[split] = COLON;
    lines.bytes[split + 1] = SP;
    lines.length = split + 2;
    if (!this.text(block, end, lines)) return false;
    const stop = lines.length;
    lines.reserve(2);
    lines.bytes[stop] = CR;
    lines.bytes[stop + 1] = LF;
    lines.length = stop + 2;
    const mark = this.options.inspect(lines.bytes, start, split, stop);
    if (keeps) this.add(lines, start, split, mark);
    if (this.fits(stop + 2 - start, lines)) lines.note(start, split, mark);
    else lines.length = start;
    return true;
  }

  /** A string (section 5.2) at `integer.at`, appended to `lines`. */
  private text(block: Buffer, end: number, lines: FieldLines): boolean {
    const from = this.integer.at;
    const length = this.integer.read(block, from, end, 7);
    const start = this.integer.at;
    if (length < 0 || length > end - start) return false;
    this.integer.at = start + length;
    if ((block[from] ?? 0) >= 0x80) return decodeHuffman(block, start, start + length, lines);
    lines.copy(block, start, start + length);
    return true;
  }

  private add(lines: FieldLines, start: number, split: number, mark: number): void {
    const size = lineSize(lines.length - start);
    this.evict(size);
    // What is larger than the table empties it, and that is no error (section 4.4).
    if (size > this.limit) return;
    const line = Buffer.from(lines.bytes.subarray(start, lines.length));
    this.ring[this.added % this.ring.length] = { line, split: split - start, mark };
    this.added += 1;
    this.held += 1;
    this.size += size;
  }

  private evict(room: number): void {
    while (this.held > 0 && this.size + room > this.limit) {
      const oldest = (this.added - this.held) % this.ring.length;
      this.size -= lineSize(this.ring[oldest]?.line.length ?? 0);
      this.ring[oldest] = undefined;
      this.held -= 1;
    }
  }
}

const fixedOf = new Map<Inspect, readonly Entry[]>();

function fixedEntries(inspect: Inspect): readonly Entry[] {
  const known = fixedOf.get(inspect);
  if (known !== undefined) return known;
  const entries = staticFields.map(([name, value]) => {
    const line = Buffer.from(`${name}: ${value}\r\n`, "latin1");
    return { line, split: name.length, mark: inspect(line, 0, name.length, line.length - 2) };
  });
  fixedOf.set(inspect, entries);
  return entries;
}
