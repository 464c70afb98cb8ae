import { isIPv4, isIPv6 } from "node:net";

/** Address and port of one side of a connection. */
export interface Peer {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** Whom a proxy speaks for: who connected to it, and where to. */
export interface Proxied {
  readonly source: Peer;
  readonly destination: Peer;
}

export type ProxyHeader =
  /** What is there could become a header. */
  | { readonly type: "incomplete" }
  | { readonly type: "bad"; readonly reason: string }
  /** `length` bytes are the header; `proxied` is absent where the proxy speaks for itself or names no address. */
  | { readonly type: "header"; readonly length: number; readonly proxied?: Proxied };

/** The longest header of version 1, its line end counted. */
const longestText = 107;
/** The longest header of version 2 that is read, as nginx has it: addresses and what may follow them. */
const longestBinary = 4096;
const textStart = Buffer.from("PROXY ", "latin1");
const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

const incomplete: ProxyHeader = { type: "incomplete" };
const bad = (reason: string): ProxyHeader => ({ type: "bad", reason });

/**
 * Reads the header of the PROXY protocol that `bytes[start..end]` begin with, in version 1 or 2. Strict, and the same
 * wherever the bytes are split: it is `bad` as soon as no header can begin so.
 * Source: The PROXY protocol, versions 1 and 2 (haproxy, doc/proxy-protocol.txt), section 2.
 */
export function readProxyHeader(bytes: Buffer, start = 0, end = bytes.length): ProxyHeader {
  const length = end - start;
  if (length === 0) return incomplete;
  if (bytes[start] === signature[0]) return readBinary(bytes, start, end);
  const known = Math.min(length, textStart.length);
  if (bytes.compare(textStart, 0, known, start, start + known) !== 0) return bad("there is no PROXY header");
  if (length < textStart.length) return incomplete;
  const lineEnd = bytes.indexOf("\n", start, "latin1");
  if (lineEnd === -1 || lineEnd >= end) {
    return length >= longestText ? bad("the line is too long") : incomplete;
  }
  if (lineEnd + 1 - start > longestText) return bad("the line is too long");
  if (bytes[lineEnd - 1] !== 0x0d) return bad("the line does not end in CR LF");
  return readLine(bytes.toString("latin1", start + textStart.length, lineEnd - 1), lineEnd + 1 - start);
}

function readLine(line: string, length: number): ProxyHeader {
  if (line === "UNKNOWN" || line.startsWith("UNKNOWN ")) return { type: "header", length };
  const words = line.split(" ");
  const [family, from = "", to = "", fromPort = "", toPort = ""] = words;
  if (words.length !== 5 || (family !== "TCP4" && family !== "TCP6")) return bad("the line is malformed");
  const isAddress = family === "TCP4" ? isIPv4 : isIPv6;
  if (!isAddress(from) || !isAddress(to) || from.includes("%") || to.includes("%")) {
    return bad("an address is malformed");
  }
  const ports = [fromPort, toPort].map(readPort);
  const [sourcePort, destinationPort] = ports;
  if (sourcePort === undefined || destinationPort === undefined) return bad("a port is malformed");
  const source = { address: from, port: sourcePort };
  return { type: "header", length, proxied: { source, destination: { address: to, port: destinationPort } } };
}

function readPort(text: string): number | undefined {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function readBinary(bytes: Buffer, start: number, end: number): ProxyHeader {
  const known = Math.min(end - start, signature.length);
  if (bytes.compare(signature, 0, known, start, start + known) !== 0) return bad("there is no PROXY header");
  if (end - start < 13) return incomplete;
  const command = bytes[start + 12] ?? 0;
  if (command !== 0x20 && command !== 0x21) return bad("the version or the command is unknown");
  if (end - start < 14) return incomplete;
  const kind = bytes[start + 13] ?? 0;
  if (kind >> 4 > 3 || (kind & 15) > 2) return bad("the address family or the transport is unknown");
  if (end - start < 16) return incomplete;
  const length = 16 + bytes.readUInt16BE(start + 14);
  if (length > longestBinary) return bad("the header is too long");
  const family = kind >> 4;
  const bytesEach = family === 1 ? 4 : family === 2 ? 16 : 0;
  const isSpokenFor = command === 0x21 && bytesEach > 0 && (kind & 15) > 0;
  if (isSpokenFor && length < 16 + 2 * bytesEach + 4) return bad("the header is too short for its addresses");
  if (end - start < length) return incomplete;
  if (!isSpokenFor) return { type: "header", length };
  const at = start + 16;
  const ports = at + 2 * bytesEach;
  const source = { address: readAddress(bytes, at, bytesEach), port: bytes.readUInt16BE(ports) };
  const destination = { address: readAddress(bytes, at + bytesEach, bytesEach), port: bytes.readUInt16BE(ports + 2) };
  return { type: "header", length, proxied: { source, destination } };
}

function readAddress(bytes: Buffer, at: number, length: number): string {
  if (length === 4) return bytes.subarray(at, at + 4).join(".");
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(at + 2 * group).toString(16));
  const mapped = groups.slice(0, 5).every((group) => group === "0") && groups[5] === "ffff";
  if (mapped) return bytes.subarray(at + 12, at + 16).join(".");
  return shortest(groups.join(":"));
}

/** As RFC 5952 writes it, which is also how URLs do. */
function shortest(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** The header to begin a connection to an endpoint with; both addresses are of one family, else none is named. */
export function writeProxyHeader(version: 1 | 2, { source, destination }: Proxied): Buffer {
  const family = [source, destination].every(({ address }) => isIPv4(address))
    ? 4
    : [source, destination].every(({ address }) => isIPv6(address))
      ? 6
      : undefined;
  if (version === 1) {
    if (family === undefined) return Buffer.from("PROXY UNKNOWN\r\n", "latin1");
    const words = [source.address, destination.address, source.port, destination.port];
    return Buffer.from(`PROXY TCP${family} ${words.join(" ")}\r\n`, "latin1");
  }
  const addresses = family === undefined ? [] : [...addressBytes(source.address), ...addressBytes(destination.address)];
  const ports = family === undefined ? [] : [source.port, destination.port].flatMap((port) => [port >> 8, port & 255]);
  const body = [...addresses, ...ports];
  const kind = family === undefined ? 0 : family === 4 ? 0x11 : 0x21;
  return Buffer.from([...signature, 0x21, kind, body.length >> 8, body.length & 255, ...body]);
}

function addressBytes(address: string): number[] {
  if (isIPv4(address)) return address.split(".").map(Number);
  const [head = "", tail] = shortest(address).split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [first, last] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...new Array<number>(zeros).fill(0), ...last].flatMap((group) => [group >> 8, group & 255]);
}
