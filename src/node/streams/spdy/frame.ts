/** SPDY/3.1 framing (draft-mbelshe-httpbis-spdy-00, section 2.2). Pure. */
export const frameType = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  window: 9,
};
export const finFlag = 1;

export type Frame =
  | { readonly kind: "data"; readonly stream: number; readonly fin: boolean; readonly payload: Buffer }
  | { readonly kind: "control"; readonly type: number; readonly flags: number; readonly payload: Buffer };

/** No frame of a well-meaning client comes near this. */
export const longestFrame = 1 << 20;

export class SpdyError extends Error {
  override readonly name = "SpdyError";
}

/** Cuts a byte stream into frames: feed it chunks, get whole frames. Throws `SpdyError` on what is no SPDY/3. */
export function createFrameReader(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    while (rest.length >= 8) {
      const length = rest.readUIntBE(5, 3);
      if (length > longestFrame) throw new SpdyError(`a frame of ${length} bytes is too long`);
      if (rest.length < 8 + length) break;
      const head = rest.readUInt32BE(0);
      const flags = rest[4] ?? 0;
      const payload = rest.subarray(8, 8 + length);
      if (head >>> 31 === 0) frames.push({ kind: "data", stream: head, fin: (flags & finFlag) !== 0, payload });
      else {
        const version = (head >>> 16) & 0x7fff;
        if (version !== 3) throw new SpdyError(`version ${version} is not SPDY/3`);
        frames.push({ kind: "control", type: head & 0xffff, flags, payload });
      }
      rest = rest.subarray(8 + length);
    }
    return frames;
  };
}

export function renderData(stream: number, payload: Buffer, fin: boolean): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(stream & 0x7fffffff, 0);
  head.writeUInt32BE(((fin ? finFlag : 0) << 24) | payload.length, 4);
  return Buffer.concat([head, payload]);
}

export function renderControl(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE((0x8003 << 16) >>> 0, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  return Buffer.concat([head, payload]);
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}

/** Name and value pairs as a SPDY/3 header block, before compression. */
export function renderHeaders(headers: ReadonlyMap<string, string>): Buffer {
  const parts = [uint32(headers.size)];
  for (const pair of headers) for (const text of pair) parts.push(uint32(Buffer.byteLength(text)), Buffer.from(text));
  return Buffer.concat(parts);
}

export function parseHeaders(block: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  let offset = 4;
  const next = () => {
    const length = block.readUInt32BE(offset);
    const text = block.toString("utf8", offset + 4, offset + 4 + length);
    offset += 4 + length;
    return text;
  };
  try {
    const count = block.readUInt32BE(0);
    if (count > 100) throw new SpdyError(`${count} headers are too many`);
    for (let index = 0; index < count; index += 1) {
      const name = next().toLowerCase();
      headers.set(name, next());
    }
  } catch (error) {
    if (error instanceof SpdyError) throw error;
    throw new SpdyError("a header block ends too early");
  }
  return headers;
}
