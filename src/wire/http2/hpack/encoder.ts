import type { ByteWriter } from "../byte-writer.ts";
import { encodeHuffman, huffmanLength } from "./huffman.ts";
import { encodeInteger } from "./integer.ts";
import { staticFields, staticNames } from "./static-table.ts";

/** How a field goes over the wire when no table holds it whole. */
type Policy = "keep" | "once" | "never";

/** Secrets: no table may hold them, here or at a next hop (RFC 7541 section 7.1.3). */
const secret = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"]);

/** What is seldom the same twice would only push out what is. */
const changing = new Set([
  ":path",
  "age",
  "content-length",
  "content-range",
  "etag",
  "if-modified-since",
  "if-none-match",
  "last-modified",
  "location",
  "range",
  "x-original-uri",
  "x-request-id",
]);

interface Name {
  readonly bytes: Buffer;
  readonly index: number;
  readonly policy: Policy;
}

interface Entry {
  readonly name: Name;
  readonly value: Buffer;
  /** How many entries were added before it. */
  readonly turn: number;
}

const slots = 512;

/** Names by their hash; one that comes later takes the place of one before. Shared by all connections of a thread. */
const names = new Array<Name | undefined>(slots).fill(undefined);

/** The largest dynamic table we keep, whatever the peer offers. */
const maxTableBytes = 4096;

const staticValues = new Map(staticFields.map(([name, value], at) => [`${name}: ${value}`, at + 1]));

/** Writes header blocks (RFC 7541). One encoder a connection and direction. */
export class HpackEncoder {
  private readonly entries = new Array<Entry | undefined>(slots).fill(undefined);
  /** Sizes of the entries in the peer's table, oldest first from `first` on. */
  private sizes: number[] = [];
  private added = 0;
  private held = 0;
  private size = 0;
  private limit = maxTableBytes;
  /** The smallest limit since the last block; -1 when nothing has to be said. */
  private lowered = -1;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE; holds from the next block on. */
  setTableSize(offered: number): void {
    const limit = Math.min(offered, maxTableBytes);
    if (limit === this.limit) return;
    this.lowered = this.lowered < 0 ? Math.min(limit, this.limit) : Math.min(limit, this.lowered);
    this.limit = limit;
    this.evict(0, this.lowered);
  }

  /** Begins a block: says changes of the table's size (section 4.2). */
  begin(out: ByteWriter): void {
    if (this.lowered < 0) return;
    if (this.lowered < this.limit) encodeInteger(out, 0x20, 5, this.lowered);
    encodeInteger(out, 0x20, 5, this.limit);
    this.lowered = -1;
  }

  /** `:status` with three digits. */
  status(out: ByteWriter, status: number): void {
    const index = staticValues.get(`:status: ${status}`);
    if (index === undefined) this.text(out, ":status", String(status));
    else encodeInteger(out, 0x80, 7, index);
  }

  /** A field given as text, one character a byte. */
  text(out: ByteWriter, name: string, value: string): void {
    const index = staticValues.get(`${name}: ${value}`);
    if (index !== undefined && value !== "") {
      encodeInteger(out, 0x80, 7, index);
      return;
    }
    const bytes = Buffer.from(name + value, "latin1");
    this.field(out, bytes, 0, name.length, name.length, bytes.length);
  }

  /** A field of a head of HTTP/1.1; the name goes out in lower case. */
  field(
    out: ByteWriter,
    bytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    let hash = 0;
    for (let at = nameStart; at < nameEnd; at += 1) hash = (Math.imul(hash, 31) + lower(bytes[at] ?? 0)) | 0;
    const name = nameOf(bytes, nameStart, nameEnd, hash);
    if (name.policy !== "keep") {
      const pattern = name.policy === "never" ? 0x10 : 0;
      this.literal(out, { pattern, bits: 4 }, name, bytes, valueStart, valueEnd);
      return;
    }
    for (let at = valueStart; at < valueEnd; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    const slot = (hash ^ (hash >>> 9)) & (slots - 1);
    const entry = this.entries[slot];
    if (entry !== undefined && entry.name === name && this.added - entry.turn <= this.held) {
      if (same(entry.value, bytes, valueStart, valueEnd)) {
        encodeInteger(out, 0x80, 7, staticFields.length + this.added - entry.turn);
        return;
      }
    }
    const size = name.bytes.length + valueEnd - valueStart + 32;
    // A field that would push most others out is not worth it.
    if (size > this.limit / 4) {
      this.literal(out, { pattern: 0, bits: 4 }, name, bytes, valueStart, valueEnd);
      return;
    }
    this.literal(out, { pattern: 0x40, bits: 6 }, name, bytes, valueStart, valueEnd);
    this.evict(size, this.limit);
    const value = Buffer.from(bytes.subarray(valueStart, valueEnd));
    this.entries[slot] = { name, value, turn: this.added };
    this.sizes.push(size);
    this.added += 1;
    this.held += 1;
    this.size += size;
  }

  private literal(
    out: ByteWriter,
    { pattern, bits }: { readonly pattern: number; readonly bits: number },
    name: Name,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    encodeInteger(out, pattern, bits, name.index);
    if (name.index === 0) encodeString(out, name.bytes, 0, name.bytes.length);
    encodeString(out, bytes, start, end);
  }

  private evict(room: number, limit: number): void {
    while (this.held > 0 && this.size + room > limit) {
      this.size -= this.sizes[this.sizes.length - this.held] ?? 0;
      this.held -= 1;
    }
    if (this.sizes.length > 256) this.sizes = this.held === 0 ? [] : this.sizes.slice(-this.held);
  }
}

function encodeString(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  // Of some letters there is hardly anything to be saved.
  const coded = end - start < 5 ? end - start : huffmanLength(bytes, start, end);
  if (coded < end - start) {
    encodeInteger(out, 0x80, 7, coded);
    encodeHuffman(bytes, start, end, out);
  } else {
    encodeInteger(out, 0, 7, end - start);
    out.copy(bytes, start, end);
  }
}

function nameOf(bytes: Uint8Array, start: number, end: number, hash: number): Name {
  const slot = (hash ^ (hash >>> 9)) & (slots - 1);
  const known = names[slot];
  if (known !== undefined && sameName(known.bytes, bytes, start, end)) return known;
  const text = Buffer.from(bytes.subarray(start, end))
    .toString("latin1")
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const name: Name = {
    bytes: Buffer.from(text, "latin1"),
    index: staticNames.get(text) ?? 0,
    policy: secret.has(text) ? "never" : changing.has(text) ? "once" : "keep",
  };
  names[slot] = name;
  return name;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

function sameName(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at += 1) if (name[at] !== lower(bytes[start + at] ?? 0)) return false;
  return true;
}

function same(value: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (value.length !== end - start) return false;
  for (let at = 0; at < value.length; at += 1) if (value[at] !== bytes[start + at]) return false;
  return true;
}
