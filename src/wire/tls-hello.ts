export type ClientHello =
  /** What is there could become a greeting. */
  | { readonly type: "incomplete" }
  /** It is none that is understood here; what speaks TLS may still make something of it. */
  | { readonly type: "other" }
  /** The greeting of a client; the name is in lower case without final dot, and absent where the client asks for none. */
  | { readonly type: "hello"; readonly serverName?: string };

const incomplete: ClientHello = { type: "incomplete" };
const other: ClientHello = { type: "other" };

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const recordHeader = 5;
/** Of a record's content (RFC 8446 section 5.1), and of the greeting: post-quantum key shares take 1 to 2 KB. */
const longestRecord = 1 << 14;
const longestHello = 1 << 14;

/**
 * Reads which server a TLS client asks for, without any key: the server name in the greeting that `bytes[start..end]`
 * begin with, also when it is spread over several records. Strict: lengths have to add up, and a name that no host can
 * have, or a second one, makes it `other`.
 * Source: RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3.
 */
export function readClientHello(bytes: Buffer, start = 0, end = bytes.length): ClientHello {
  const parts: Buffer[] = [];
  let gathered = 0;
  let wanted = Infinity;
  for (let at = start; gathered < wanted;) {
    if (at >= end) return incomplete;
    if (bytes[at] !== handshakeRecord || (at + 1 < end && bytes[at + 1] !== 3)) return other;
    if (end - at < recordHeader) return incomplete;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > longestRecord) return other;
    const from = at + recordHeader;
    const to = Math.min(from + length, end);
    parts.push(bytes.subarray(from, to));
    gathered += to - from;
    if (wanted === Infinity && gathered >= 4) {
      const head = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
      if (head[0] !== clientHello) return other;
      wanted = 4 + head.readUIntBE(1, 3);
      if (wanted > longestHello) return other;
    }
    at = from + length;
  }
  const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  return readHello(new Fields(whole, 4, wanted));
}

/** Fields one after another; `bad` once one of them reaches past the end. */
class Fields {
  bad = false;
  private at: number;
  private readonly bytes: Buffer;
  private readonly end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get isEmpty(): boolean {
    return this.at === this.end;
  }

  /** A number of so many bytes; 0 where there are too few. */
  number(length: 1 | 2): number {
    const at = this.skip(length);
    return this.bad ? 0 : this.bytes.readUIntBE(at, length);
  }

  skip(length: number): number {
    const { at } = this;
    if (length > this.end - at) this.bad = true;
    else this.at += length;
    return at;
  }

  /** What stands behind a length of so many bytes. */
  vector(lengthBytes: 1 | 2): Fields {
    const length = this.number(lengthBytes);
    const at = this.skip(length);
    return this.bad ? new Fields(this.bytes, 0, 0) : new Fields(this.bytes, at, at + length);
  }

  text(): string {
    return this.bytes.toString("latin1", this.at, this.end);
  }
}

function readHello(fields: Fields): ClientHello {
  fields.skip(2 + 32);
  fields.vector(1);
  fields.vector(2);
  fields.vector(1);
  if (fields.bad) return other;
  // TLS 1.2 allows a greeting without extensions.
  if (fields.isEmpty) return { type: "hello" };
  const extensions = fields.vector(2);
  if (fields.bad || !fields.isEmpty) return other;
  let serverName: string | undefined;
  while (!extensions.isEmpty) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (extensions.bad) return other;
    if (type !== serverNameExtension) continue;
    const name = serverName === undefined ? readServerName(content) : undefined;
    if (name === undefined) return other;
    serverName = name;
  }
  return serverName === undefined ? { type: "hello" } : { type: "hello", serverName };
}

/** Exactly one name, of the only type there is. */
function readServerName(content: Fields): string | undefined {
  const list = content.vector(2);
  if (content.bad || !content.isEmpty || list.number(1) !== 0) return undefined;
  const name = list.vector(2);
  if (list.bad || !list.isEmpty) return undefined;
  const text = name.text().toLowerCase().replace(/\.$/, "");
  return text.length <= 253 && /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text) ? text : undefined;
}
