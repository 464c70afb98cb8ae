/** Counts in three digits of this base stay below it, so that a text of bytes stays one of a byte for each character. */
const base = 255;
const longMark = String.fromCharCode(base);
/** Beyond three digits. */
const lengthLimit = base ** 3;

/**
 * Texts as one text that keeps of each only what the one before it does not have at its start or its end: names and
 * addresses beside one another are alike, and a text costs an object less than each of its parts would. `like` is taken
 * for the text before the first one.
 */
export function packTexts(texts: readonly string[], like = ""): string {
  // Joined at the end: a text that grows piece by piece stays a chain of its pieces.
  const parts: string[] = [];
  let before = like;
  for (const text of texts) {
    const most = Math.min(before.length, text.length, base - 1);
    let start = 0;
    while (start < most && text.charCodeAt(start) === before.charCodeAt(start)) start += 1;
    let end = 0;
    while (end < most - start && text.charCodeAt(text.length - 1 - end) === before.charCodeAt(before.length - 1 - end))
      end += 1;
    const middle = text.slice(start, text.length - end);
    parts.push(String.fromCharCode(start, end), lengthText(middle.length), middle);
    before = text;
  }
  return parts.join("");
}

/** The texts that `packTexts` made one of, with the same `like`. */
export function unpackTexts(packed: string, like = ""): string[] {
  const texts: string[] = [];
  let before = like;
  let at = 0;
  while (at < packed.length) {
    const start = packed.charCodeAt(at);
    const end = packed.charCodeAt(at + 1);
    let length = packed.charCodeAt(at + 2);
    at += 3;
    if (length === base) {
      length = (packed.charCodeAt(at) * base + packed.charCodeAt(at + 1)) * base + packed.charCodeAt(at + 2);
      at += 3;
    }
    before = before.slice(0, start) + packed.slice(at, at + length) + before.slice(before.length - end);
    texts.push(before);
    at += length;
  }
  return texts;
}

function lengthText(length: number): string {
  if (length < base) return String.fromCharCode(length);
  if (length >= lengthLimit) throw new RangeError(`a text of ${length} characters cannot be packed`);
  const high = Math.floor(length / base / base);
  return longMark + String.fromCharCode(high, Math.floor(length / base) % base, length % base);
}
