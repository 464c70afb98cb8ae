/** One element of DER (ITU-T X.690): its tag, and where it, and its content, lie. */
export interface Element {
  readonly tag: number;
  readonly bytes: Buffer;
  /** Of the whole element. */
  readonly from: number;
  /** Of its content. */
  readonly start: number;
  readonly end: number;
}

export const tag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  nothing: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  generalizedTime: 0x18,
  sequence: 0x30,
  /** Context-specific and constructed, `[0]` and on. */
  context: 0xa0,
  /** Context-specific and primitive. */
  plainContext: 0x80,
} as const;

/** The element at `at`, or `undefined` where none fits before `end`. Tags are one byte, lengths four at most. */
export function readElement(bytes: Buffer, at = 0, end = bytes.length): Element | undefined {
  const [tagByte, first] = [bytes[at], bytes[at + 1]];
  if (tagByte === undefined || first === undefined || (tagByte & 31) === 31) return undefined;
  const extra = first < 128 ? 0 : first & 127;
  if (extra > 4 || first === 128 || at + 2 + extra > end) return undefined;
  const length = extra === 0 ? first : bytes.readUIntBE(at + 2, extra);
  const start = at + 2 + extra;
  return start + length > end ? undefined : { tag: tagByte, bytes, from: at, start, end: start + length };
}

/** The elements that an element holds; none where they do not fill it exactly. */
export function childrenOf({ bytes, start, end }: Element): readonly Element[] {
  const found: Element[] = [];
  for (let at = start; at < end;) {
    const element = readElement(bytes, at, end);
    if (element === undefined) return [];
    found.push(element);
    at = element.end;
  }
  return found;
}

export function contentOf({ bytes, start, end }: Element): Buffer {
  return bytes.subarray(start, end);
}

export function wholeOf({ bytes, from, end }: Element): Buffer {
  return bytes.subarray(from, end);
}

/** An element with these parts as its content. */
export function writeElement(tagByte: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left & 255);
  const head = length < 128 ? [tagByte, length] : [tagByte, 128 | bytes.length, ...bytes];
  return Buffer.concat([Buffer.from(head), content]);
}

/** The content of an object identifier, as hexadecimal. */
export function oid(text: string): string {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 127];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) groups.unshift(128 | (left & 127));
    bytes.push(...groups);
  }
  return Buffer.from(bytes).toString("hex");
}

/** `20260101120000Z` in milliseconds since the epoch. */
export function readGeneralizedTime(element: Element): number | undefined {
  if (element.tag !== tag.generalizedTime) return undefined;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(contentOf(element).toString("latin1"));
  if (parts === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
