import type { Clock } from "#base/clock.ts";
import { renderBody, type Body } from "#wire/dns/body.ts";
import { lowerName } from "#wire/dns/name.ts";
import { flags, rcodes, types } from "#wire/dns/numbers.ts";
import type { Message } from "#wire/dns/message.ts";
import type { ResourceRecord } from "#wire/dns/record.ts";
import type { DnsCounters } from "../metrics.ts";
import type { Asked } from "./sockets.ts";

/** An answer from outside, ready to be written. */
export interface Resolved {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  /** With the TTLs of now. */
  readonly body: Body;
  /** Seconds that it may still be kept. */
  readonly ttl: number;
  readonly truncated: boolean;
  readonly authenticData: boolean;
}

export interface Cache {
  get(key: string): Resolved | undefined;
  /** Keeps the answer as long as it may be kept, and returns it as clients get it. */
  put(key: string, asked: Asked, message: Message): Resolved;
  size(): number;
}

export interface CacheOptions {
  readonly clock: Clock;
  readonly counters: DnsCounters;
  /** Seconds: no answer is kept longer, or told to be. */
  readonly maxTtl?: number;
  readonly minTtl?: number;
  readonly capacity?: number;
  /** Bytes of record data over all entries. */
  readonly byteLimit?: number;
}

interface Kept {
  readonly resolved: Resolved;
  readonly kind: "success" | "denial";
  readonly expires: number;
  readonly size: number;
}

const failureTtl = 5;
const entryLimit = 16_384;

export function cacheKey({ question, do: dnssec, cd }: Asked): string {
  return `${question.type} ${dnssec ? "d" : ""}${cd ? "c" : ""} ${lowerName(question.name)}`;
}

/**
 * Answers from outside for as long as the shortest of their TTLs, within bounds, and at most 30 s; all records of a
 * message show the same time left. Bounded in entries and in bytes; the oldest goes first. Nothing of the cluster's
 * own zone ever comes here.
 */
export function createCache(options: CacheOptions): Cache {
  const { clock, counters, maxTtl = 30, minTtl = 5, capacity = 9_984, byteLimit = 32 << 20 } = options;
  const kept = new Map<string, Kept>();
  let bytes = 0;

  function drop(key: string): void {
    bytes -= kept.get(key)?.size ?? 0;
    kept.delete(key);
    counters.cacheEntries = kept.size;
  }

  return {
    get(key) {
      const found = kept.get(key);
      const left = found === undefined ? 0 : Math.ceil((found.expires - clock.monotonic()) / 1000);
      if (found === undefined || left <= 0) {
        if (found !== undefined) drop(key);
        counters.cacheMisses += 1;
        return undefined;
      }
      counters.cacheHits[found.kind] += 1;
      const { resolved } = found;
      setTtls(resolved.body, left);
      return { ...resolved, ttl: left };
    },
    put(key, { question }, message) {
      const judged = judge(message, question.type);
      const ttl = Math.min(maxTtl, Math.max(minTtl, judged?.ttl ?? 0));
      const { answers, authorities, additionals, rcode } = message;
      const body = renderBody(question.name, { answers, authorities, additionals });
      if (judged === undefined) capTtls(body, maxTtl);
      else setTtls(body, ttl);
      const truncated = (message.flags & flags.TC) !== 0;
      const authenticData = (message.flags & flags.AD) !== 0;
      const resolved = { rcode, answers, body, ttl: judged === undefined ? 0 : ttl, truncated, authenticData };
      const size = body.bytes.length * 2 + key.length + 200;
      drop(key);
      if (judged === undefined || size > entryLimit) return resolved;
      for (const oldest of kept.keys()) {
        if (kept.size < capacity && bytes + size <= byteLimit) break;
        drop(oldest);
      }
      kept.set(key, { resolved, kind: judged.kind, expires: clock.monotonic() + ttl * 1000, size });
      bytes += size;
      counters.cacheEntries = kept.size;
      return resolved;
    },
    size: () => kept.size,
  };
}

/** Whether and how long a message may be kept (RFC 2308, and CoreDNS's rules for what is left open). */
function judge(message: Message, type: number): { kind: "success" | "denial"; ttl: number } | undefined {
  const { rcode, answers, authorities, additionals } = message;
  if (message.flags & flags.TC) return undefined;
  if (rcode === rcodes.SERVFAIL || rcode === rcodes.NOTIMP) return { kind: "denial", ttl: failureTtl };
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) return undefined;
  const answered = rcode === rcodes.NOERROR && answers.some((record) => record.type === type || type === types.ANY);
  if (answered) return { kind: "success", ttl: shortest([...answers, ...authorities, ...additionals]) };
  const hasSoa = authorities.some((record) => record.type === types.SOA);
  return hasSoa ? { kind: "denial", ttl: shortest([...answers, ...authorities]) } : undefined;
}

function shortest(records: readonly ResourceRecord[]): number {
  // A TTL with the highest bit set counts as zero (RFC 2181 8).
  return records.reduce((least, { ttl }) => Math.min(least, ttl > 0x7fffffff ? 0 : ttl), Number.POSITIVE_INFINITY);
}

function setTtls({ bytes, ttls }: Body, ttl: number): void {
  for (const at of ttls) {
    bytes[at] = 0;
    bytes[at + 1] = 0;
    bytes[at + 2] = ttl >> 8;
    bytes[at + 3] = ttl & 0xff;
  }
}

function capTtls({ bytes, ttls }: Body, limit: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const at of ttls) if (view.getUint32(at) > limit) view.setUint32(at, limit);
}
