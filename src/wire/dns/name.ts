/**
 * A name as it stands on the wire, without the final empty label: each label after its length byte, one character a
 * byte (latin1). The root is the empty string. Labels may hold any byte, so a dot inside a label stays one label.
 */
export type WireName = string;

/** RFC 1035 2.3.4: 255 octets on the wire, the final empty label among them. */
const nameLimit = 254;
const labelLimit = 63;
/** More pointers than any writer needs for one name: a long chain of them in each record would cost its reader dearly. */
const jumpLimit = 64;

export interface ReadName {
  readonly name: WireName;
  /** Where the bytes after the name start. */
  readonly next: number;
}

/**
 * Reads a name at `offset`, following compression pointers (RFC 1035 4.1.4). Each pointer must go to an earlier place
 * than all before it, so there is no loop. `undefined` for anything malformed.
 */
export function readName(bytes: Uint8Array, offset: number, end: number = bytes.length): ReadName | undefined {
  let name = "";
  let at = offset;
  let next = -1;
  let floor = offset;
  let jumps = 0;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || at >= end) return undefined;
    if (length === 0) return { name, next: next === -1 ? at + 1 : next };
    if (length <= labelLimit) {
      const stop = at + 1 + length;
      if (stop > end || name.length + 1 + length > nameLimit) return undefined;
      name += latin1(bytes, at, stop);
      at = stop;
      continue;
    }
    const low = bytes[at + 1];
    if (length < 0xc0 || low === undefined || at + 1 >= end) return undefined;
    if (next === -1) next = at + 2;
    const target = ((length & 0x3f) << 8) | low;
    jumps += 1;
    if (target >= floor || jumps > jumpLimit) return undefined;
    floor = target;
    at = target;
  }
}

function latin1(bytes: Uint8Array, start: number, stop: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, stop - start).toString("latin1");
}

/** Lower case for comparing: ASCII letters only, other bytes stay (RFC 4343). Length bytes are never letters. */
export function lowerName(name: WireName): WireName {
  return /[A-Z]/.test(name) ? name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : name;
}

/** The wire form of a dotted text, absolute with or without the final dot; escapes as in zone files (`\.`, `\032`). */
export function nameFromText(text: string): WireName | undefined {
  if (text === "." || text === "") return "";
  // Nearly all names are plain, and a large cluster has hundreds of thousands of them.
  const labels = isPlain.test(text) ? text.split(".") : unescapedLabels(text);
  if (labels === undefined) return undefined;
  if (labels.at(-1) === "") labels.pop();
  let name = "";
  for (const label of labels) {
    if (label.length === 0 || label.length > labelLimit) return undefined;
    name += String.fromCharCode(label.length) + label;
  }
  return name.length > nameLimit ? undefined : name;
}

const isPlain = /^[\w.-]*$/;

function unescapedLabels(text: string): string[] | undefined {
  const labels: string[] = [""];
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === ".") {
      labels.push("");
      continue;
    }
    let byte = character;
    if (character === "\\") {
      const decimal = /^\d{3}/.exec(text.slice(at + 1))?.[0];
      byte = decimal === undefined ? text.charAt(at + 1) : String.fromCharCode(Number(decimal));
      at += decimal?.length ?? 1;
    }
    if (byte === "" || byte.charCodeAt(0) > 255) return undefined;
    labels[labels.length - 1] += byte;
  }
  return labels;
}

/** Dotted text without the final dot (`.` for the root); bytes that a reader could take for something else escaped. */
export function nameToText(name: WireName): string {
  if (name === "") return ".";
  return labelsOf(name)
    .map((label) =>
      label.replace(/[^!-~]|[.\\"();@$]/g, (byte) =>
        /[!-~]/.test(byte) ? `\\${byte}` : `\\${String(byte.charCodeAt(0)).padStart(3, "0")}`,
      ),
    )
    .join(".");
}

/** The labels from left to right, without length bytes. */
export function labelsOf(name: WireName): string[] {
  const labels: string[] = [];
  for (let at = 0; at < name.length; at += 1 + name.charCodeAt(at)) {
    labels.push(name.slice(at + 1, at + 1 + name.charCodeAt(at)));
  }
  return labels;
}

/** The name without its first label; the root's parent is the root. */
export function parentOf(name: WireName): WireName {
  return name === "" ? "" : name.slice(1 + name.charCodeAt(0));
}

/** Whether `name` is `zone` or below it, compared on label boundaries; both in lower case. */
export function isWithin(name: WireName, zone: WireName): boolean {
  if (!name.endsWith(zone)) return false;
  const stop = name.length - zone.length;
  let at = 0;
  while (at < stop) at += 1 + name.charCodeAt(at);
  return at === stop;
}
