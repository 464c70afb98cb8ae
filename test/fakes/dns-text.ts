import { formatAddress, parseAddress } from "#base/cidr.ts";
import { nameFromText, nameToText, readName, type WireName } from "#wire/dns/name.ts";
import { typeName, types } from "#wire/dns/numbers.ts";
import { nameData, record, soaData, srvData, txtData, type ResourceRecord } from "#wire/dns/record.ts";

/** `web.dev. 30 A 10.96.0.20`; the owner is left out when it is the name asked for, a SOA's serial shown as `*`. */
export function recordText({ name, type, ttl, data }: ResourceRecord, question?: WireName): string {
  const owner = question?.toLowerCase() === name.toLowerCase() ? "" : `${dotted(name)} `;
  return `${owner}${ttl} ${typeName(type)} ${dataText(type, data)}`;
}

function dataText(type: number, data: Uint8Array): string {
  const bytes = Buffer.from(data);
  const nameAt = (at: number) => dotted(readName(data, at)?.name ?? "?");
  if (type === types.A || type === types.AAAA) {
    return formatAddress({ family: type === types.A ? 4 : 6, value: BigInt(`0x${bytes.toString("hex")}`) });
  }
  if (type === types.CNAME || type === types.PTR || type === types.NS) return nameAt(0);
  if (type === types.MX) return `${bytes.readUInt16BE(0)} ${nameAt(2)}`;
  if (type === types.SRV)
    return `${bytes.readUInt16BE(0)} ${bytes.readUInt16BE(2)} ${bytes.readUInt16BE(4)} ${nameAt(6)}`;
  if (type === types.TXT) return JSON.stringify(bytes.toString("latin1", 1, 1 + (bytes[0] ?? 0)));
  if (type === types.SOA) {
    const second = readName(data, 0)?.next ?? 0;
    const times = readName(data, second)?.next ?? 0;
    const numbers = [4, 8, 12, 16].map((offset) => bytes.readUInt32BE(times + offset));
    return `${nameAt(0)} ${nameAt(second)} * ${numbers.join(" ")}`;
  }
  return bytes.toString("hex");
}

/** The inverse of `recordText`, with the owner always there. */
export function parseRecord(text: string): ResourceRecord {
  const [owner = "", ttl = "", type = "", ...rest] = text.trim().split(/\s+/);
  const number = types[type as keyof typeof types];
  return record(wire(owner), number, Number(ttl), dataOf(number, rest));
}

function dataOf(type: number, words: readonly string[]): Uint8Array {
  const [first = "", second = "", third = "", fourth = ""] = words;
  if (type === types.A || type === types.AAAA) {
    const hex = parseAddress(first)?.value.toString(16) ?? "";
    return Buffer.from(hex.padStart(type === types.A ? 8 : 32, "0"), "hex");
  }
  if (type === types.CNAME || type === types.PTR || type === types.NS) return nameData(wire(first));
  if (type === types.SRV) return srvData(Number(first), Number(second), Number(third), wire(fourth));
  if (type === types.TXT) return txtData([JSON.parse(words.join(" ")) as string]);
  if (type === types.SOA) {
    const [refresh = 0, retry = 0, expire = 0, minimum = 0] = words.slice(3).map(Number);
    return soaData({ primary: wire(first), mailbox: wire(second), serial: 1, refresh, retry, expire, minimum });
  }
  throw new Error(`no text form for type ${type}`);
}

function wire(text: string): WireName {
  const name = nameFromText(text);
  if (name === undefined) throw new Error(`not a name: ${text}`);
  return name;
}

function dotted(name: WireName): string {
  return name === "" ? "." : `${nameToText(name)}.`;
}
