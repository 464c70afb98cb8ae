import { readName, type WireName } from "./name.ts";
import { classIn, types } from "./numbers.ts";

/** One resource record; its data is wire bytes with all names written out. */
export interface ResourceRecord {
  readonly name: WireName;
  readonly type: number;
  readonly class: number;
  /** Seconds. */
  readonly ttl: number;
  readonly data: Uint8Array;
}

/**
 * Which record data hold names that may be compressed when read: RFC 1035's own types, and SRV which old servers
 * compress although RFC 2782 forbids it. Numbers are plain bytes between the names.
 */
export const dataLayouts: ReadonlyMap<number, readonly ("name" | number)[]> = new Map([
  [types.NS, ["name"]],
  [types.CNAME, ["name"]],
  [types.PTR, ["name"]],
  [types.MX, [2, "name"]],
  [types.SOA, ["name", "name", 20]],
  [types.SRV, [6, "name"]],
]);

/** A record of class IN. */
export function record(name: WireName, type: number, ttl: number, data: Uint8Array): ResourceRecord {
  return { name, type, class: classIn, ttl, data };
}

/** Data of NS, CNAME and PTR. */
export function nameData(name: WireName): Uint8Array {
  return Buffer.from(`${name}\0`, "latin1");
}

/** The name in the data of NS, CNAME and PTR. */
export function nameOfData(data: Uint8Array): WireName | undefined {
  return readName(data, 0)?.name;
}

/** RFC 2782. */
export function srvData(priority: number, weight: number, port: number, target: WireName): Uint8Array {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(priority, 0);
  head.writeUInt16BE(weight, 2);
  head.writeUInt16BE(port, 4);
  return Buffer.concat([head, nameData(target)]);
}

export interface Soa {
  readonly primary: WireName;
  readonly mailbox: WireName;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** How long a negative answer may be kept (RFC 2308). */
  readonly minimum: number;
}

export function soaData({ primary, mailbox, serial, refresh, retry, expire, minimum }: Soa): Uint8Array {
  const tail = Buffer.alloc(20);
  for (const [index, value] of [serial, refresh, retry, expire, minimum].entries())
    tail.writeUInt32BE(value >>> 0, index * 4);
  return Buffer.concat([nameData(primary), nameData(mailbox), tail]);
}

/** Each text cut into strings of 255 bytes. */
export function txtData(texts: readonly string[]): Uint8Array {
  const strings: Buffer[] = [];
  for (const text of texts) {
    const bytes = Buffer.from(text, "utf8");
    for (let at = 0; at === 0 || at < bytes.length; at += 255) {
      const part = bytes.subarray(at, at + 255);
      strings.push(Buffer.from([part.length]), part);
    }
  }
  return Buffer.concat(strings);
}
