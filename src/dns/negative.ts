import type { Body } from "#wire/dns/body.ts";
import { nameFromText, type WireName } from "#wire/dns/name.ts";
import { headerLength, types } from "#wire/dns/numbers.ts";
import { record, soaData, type ResourceRecord } from "#wire/dns/record.ts";

/** The SOA of one served zone, ready for any question below it. */
export interface Soa {
  /** The authority section of a negative answer to a question with a name of this length; overwritten by the next call. */
  negative(nameLength: number): Body;
  record(): ResourceRecord;
  setSerial(serial: number): void;
}

/** How long a negative answer may be kept, in seconds: short, since what is missing now is often being made. */
const usualNegativeTtl = 5;
const [refresh, retry, expire] = [7200, 1800, 86_400];
const soaTtlLimit = 300;

/**
 * The SOA with CoreDNS's names and times. A negative answer's record is the same bytes each time but for the serial and
 * three pointers to the zone inside the question, so it costs four writes.
 */
export function createSoa(zone: WireName, ttl: number, negativeTtl: number = Math.min(ttl, usualNegativeTtl)): Soa {
  const ns = nameFromText("ns.dns") as WireName;
  const hostmaster = nameFromText("hostmaster") as WireName;
  const dataLength = ns.length + 2 + hostmaster.length + 2 + 20;
  const bytes = Buffer.alloc(12 + dataLength);
  const pointers = [0, 12 + ns.length, 12 + ns.length + 2 + hostmaster.length] as const;
  const times = 12 + dataLength - 20;
  bytes.writeUInt16BE(types.SOA, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt32BE(negativeTtl, 6);
  bytes.writeUInt16BE(dataLength, 10);
  bytes.write(ns, 12, "latin1");
  bytes.write(hostmaster, pointers[1] + 2, "latin1");
  for (const [index, value] of [0, refresh, retry, expire, negativeTtl].entries())
    bytes.writeUInt32BE(value, times + index * 4);
  const body: Body = { bytes, ends: [bytes.length], ttls: [6], counts: [0, 1, 0] };
  let serial = 0;

  return {
    negative(nameLength) {
      const pointer = 0xc000 | (headerLength + nameLength - zone.length);
      for (const at of pointers) {
        bytes[at] = pointer >> 8;
        bytes[at + 1] = pointer & 0xff;
      }
      return body;
    },
    record() {
      const primary = ns + zone;
      const mailbox = hostmaster + zone;
      const data = soaData({ primary, mailbox, serial, refresh, retry, expire, minimum: negativeTtl });
      return record(zone, types.SOA, Math.min(ttl, soaTtlLimit), data);
    },
    setSerial(next) {
      serial = next;
      bytes.writeUInt32BE(next >>> 0, times);
    },
  };
}
